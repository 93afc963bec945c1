#pragma once
// Strings that cross the interface: UTF-8 inside, UTF-16 outside; GUIDs as `{xxxxxxxx-…}` in lower case.

#include <windows.h>

#include <compare>
#include <string>
#include <string_view>
#include <vector>

namespace vss_simulator {

std::string utf8(std::wstring_view text);
std::wstring utf16(std::string_view text);

/** NULL is an empty string. */
std::string textOf(LPCWSTR text);

std::string guidText(const GUID& id);
/** Braces are optional. Throws std::invalid_argument. */
GUID guidFrom(std::string_view text);
GUID newGuid();

struct GuidLess {
    bool operator()(const GUID& a, const GUID& b) const;
};

std::string lower(std::string_view text);
bool sameIgnoringCase(std::wstring_view a, std::wstring_view b);
/** Without empty parts and surrounding white space. */
std::vector<std::string> split(std::string_view text, char separator);

/** The caller frees it with SysFreeString; counted. An empty text becomes an empty string, not NULL. */
BSTR newBstr(std::string_view text);
/** The caller frees it with CoTaskMemFree; counted. */
LPWSTR newTaskString(std::wstring_view text);

}  // namespace vss_simulator
