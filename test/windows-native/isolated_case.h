#pragma once

#include <windows.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "check.h"

/// The stand-in reads its settings once per process, so every case is a process of its own: the program starts itself
/// with the number of the case.
namespace isolated {

struct Case {
    std::string_view name;
    std::string settings;  ///< `name=value` lines, beside those that every case has
    std::function<void()> body;
};

/// Where a case keeps what it makes; the stand-in captures this directory only.
inline const std::filesystem::path kDirectory = L"C:\\domino-vss-test";

/// One number of the stand-in's report.
inline long reported(std::string_view name) {
    using Report = DWORD(STDAPICALLTYPE*)(char*, DWORD);
    const HMODULE library = ::GetModuleHandleW(L"vssapi.dll");
    CHECK(library != nullptr);
    const auto report =
        reinterpret_cast<Report>(reinterpret_cast<void (*)()>(::GetProcAddress(library, "VssSimulatorReport")));
    CHECK(report != nullptr);
    std::string text(4096, '\0');
    text.resize(report(text.data(), static_cast<DWORD>(text.size())));
    const std::size_t found = (" " + text).find(" " + std::string(name) + "=");
    CHECK(found != std::string::npos);
    return std::stol(text.substr(found + name.size() + 1));
}

inline void requireNothingAlive() {
    for (const char* kind : {"IVssBackupComponents", "IVssAsync", "IVssEnumObject", "IVssExamineWriterMetadata",
                             "IVssWMComponent", "IVssWMFiledesc", "IVssWriterComponentsExt", "IVssComponent"}) {
        const long alive = reported(std::string(kind) + ".alive");
        if (alive != 0) std::fprintf(stderr, "%ld %s alive\n", alive, kind);
        CHECK(alive == 0);
    }
    CHECK(reported("componentInfos.made") == reported("componentInfos.freed"));
    // Each thread joins the apartment itself. In that of another thread it is only as long as that one stays.
    CHECK(reported("withoutApartment") == 0 && reported("lenient.implicitApartment") == 0);
}

inline int runOne(const std::vector<Case>& cases, std::size_t index) {
    cases.at(index).body();
    requireNothingAlive();
    return 0;
}

inline int startOne(const Case& entry, std::size_t index) {
    std::filesystem::remove_all(kDirectory);
    std::filesystem::create_directories(kDirectory / L"data");
    const std::filesystem::path settings = kDirectory / L"vss.ini";
    std::ofstream(settings) << "state=" << (kDirectory / L"state").string()
                            << "\nvolume.C.include=domino-vss-test\\data\n"
                            << entry.settings;
    ::SetEnvironmentVariableW(L"VSS_SIM_SETTINGS", settings.c_str());
    std::vector<wchar_t> program(MAX_PATH);
    ::GetModuleFileNameW(nullptr, program.data(), MAX_PATH);
    std::wstring command = L"\"" + std::wstring(program.data()) + L"\" " + std::to_wstring(index);
    STARTUPINFOW startup{};
    startup.cb = sizeof startup;
    PROCESS_INFORMATION process{};
    CHECK(::CreateProcessW(program.data(), command.data(), nullptr, nullptr, TRUE, 0, nullptr, nullptr, &startup,
                           &process) != 0);
    DWORD result = STILL_ACTIVE;
    if (::WaitForSingleObject(process.hProcess, 60'000) != WAIT_OBJECT_0) ::TerminateProcess(process.hProcess, 124);
    ::WaitForSingleObject(process.hProcess, INFINITE);
    ::GetExitCodeProcess(process.hProcess, &result);
    ::CloseHandle(process.hThread);
    ::CloseHandle(process.hProcess);
    return static_cast<int>(result);
}

inline int run(int count, char** arguments, const std::vector<Case>& cases) {
    if (count > 1) return runOne(cases, std::stoul(arguments[1]));
    int failed = 0;
    for (std::size_t i = 0; i < cases.size(); ++i) {
        std::printf("- %s\n", std::string(cases[i].name).c_str());
        std::fflush(stdout);
        if (const int result = startOne(cases[i], i); result != 0) {
            std::printf("  failed: %d\n", result);
            ++failed;
        }
    }
    std::printf("%d of %d failed\n", failed, static_cast<int>(cases.size()));
    return failed == 0 ? 0 : 1;
}

}  // namespace isolated
