#include "host.h"

#include <windows.h>

#include <fstream>
#include <memory>
#include <stdexcept>

#include "state_directory.h"
#include "text.h"

namespace vss_simulator {

std::string hostName(const std::filesystem::path& path) {
    using UnixFileName = char*(CDECL*)(const wchar_t*);
    const auto function = reinterpret_cast<UnixFileName>(
        reinterpret_cast<void*>(GetProcAddress(GetModuleHandleW(L"kernel32.dll"), "wine_get_unix_file_name")));
    if (function == nullptr) throw std::runtime_error("this stand-in needs Wine");
    const auto release = [](char* text) { HeapFree(GetProcessHeap(), 0, text); };
    const std::unique_ptr<char, decltype(release)> name(function(path.c_str()), release);
    if (!name) throw std::runtime_error("no Unix name for " + utf8(path.native()));
    std::string text = name.get();
    while (text.size() > 1 && text.ends_with('/')) text.pop_back();
    return text;
}

std::string shellQuoted(std::string_view text) {
    std::string result = "'";
    for (const char c : text) {
        if (c == '\'') {
            result += "'\\''";
        } else {
            result += c;
        }
    }
    return result + "'";
}

std::string hostQuoted(const std::filesystem::path& path) {
    return shellQuoted(hostName(path));
}

void runOnHost(const std::string& script) {
    const std::filesystem::path directory = stateDirectory() / L"host";
    const std::wstring name = utf16(guidText(newGuid()));
    const std::filesystem::path file = directory / (name + L".sh");
    const std::filesystem::path result = directory / (name + L".result");
    std::ofstream(file, std::ios::binary)
        << "(\nset -e\n"
        << script << "\n)\necho $? >" << hostQuoted(result.native() + L".new") << " && mv "
        << hostQuoted(result.native() + L".new") << ' ' << hostQuoted(result) << '\n';

    std::wstring command = L"sh " + utf16(hostQuoted(file));
    for (wchar_t& c : command) {
        if (c == L'\'') c = L'"';  // a command line supports no other quotes
    }
    STARTUPINFOW startup{};
    startup.cb = sizeof startup;
    PROCESS_INFORMATION process{};
    if (!CreateProcessW(L"\\\\?\\unix\\bin\\sh", command.data(), nullptr, nullptr, FALSE, 0, nullptr, nullptr, &startup,
                        &process)) {
        throw std::runtime_error("cannot start /bin/sh");
    }
    // A Unix process has no handle to wait for.
    while (!std::filesystem::exists(result)) Sleep(1);
    int code = -1;
    std::ifstream(result) >> code;
    std::error_code ignored;  // leftovers in the state directory do no harm
    std::filesystem::remove(result, ignored);
    std::filesystem::remove(file, ignored);
    if (code != 0) throw std::runtime_error("a Unix command failed with " + std::to_string(code) + ": " + script);
}

}  // namespace vss_simulator
