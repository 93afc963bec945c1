#include <windows.h>

#include <algorithm>
#include <memory>

#include "system/failure.h"
#include "system/path.h"
#include "system/system_log.h"
#include "system/windows_resources.h"

namespace domino_vss {

namespace {

constexpr const wchar_t* kSource = L"domino-vss";

/// Messages 1 to 1000 of EventCreate.exe, which is part of every Windows, consist of "%1" only, so that file can be
/// registered as the source (docs/operations.md). Without it, the event viewer still shows the text.
constexpr DWORD kEventId = 1;

/// The longest string that ReportEventW accepts.
constexpr std::size_t kLongestText = 31'839;

/// The event viewer takes a percent sign before a digit for a place where another string belongs. Nothing escapes it.
std::wstring withoutPlaceholders(const std::wstring& text) {
    std::wstring shown;
    for (const wchar_t character : text) {
        if (!shown.empty() && shown.back() == L'%' && character >= L'0' && character <= L'9') shown += L' ';
        shown += character;
    }
    return shown;
}

using unique_event_source = unique_resource<HANDLE, ::DeregisterEventSource>;

Failure systemError(const char* operation) {
    return systemFailure(code::kFileSystem, Phase::end, operation, "Application", static_cast<int>(::GetLastError()));
}

}  // namespace

void writeSystemLog(const SystemLogEntry& entry, const std::string& /*place*/) {
    std::string text = entry.message;
    for (const auto& [name, value] : entry.fields) text += "\r\n" + name + "=" + value;
    std::wstring wide = withoutPlaceholders(toUtf16(text));
    wide.resize(std::min(wide.size(), kLongestText));
    const unique_event_source source(::RegisterEventSourceW(nullptr, kSource));
    if (!source) throw systemError("RegisterEventSourceW");
    const WORD type = entry.severity == SystemLogEntry::Severity::error ? EVENTLOG_ERROR_TYPE : EVENTLOG_WARNING_TYPE;
    const wchar_t* strings = wide.c_str();
    if (::ReportEventW(source.get(), type, 0, kEventId, nullptr, 1, 0, &strings, nullptr) == 0)
        throw systemError("ReportEventW");
}

}  // namespace domino_vss
