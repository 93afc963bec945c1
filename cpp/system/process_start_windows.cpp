#include "system/process_start_windows.h"

#include "system/windows_resources.h"

namespace domino_vss {

std::string processStart(std::uint32_t processId) {
    const unique_handle process(::OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, processId));
    if (!process && ::GetLastError() == ERROR_ACCESS_DENIED) return kUnknownStart;
    FILETIME created{};
    FILETIME exited{};
    FILETIME kernel{};
    FILETIME user{};
    if (!process || ::GetProcessTimes(process.get(), &created, &exited, &kernel, &user) == 0) return {};
    // A process that has ended still exists while somebody holds a handle to it.
    DWORD exitCode = 0;
    if (::GetExitCodeProcess(process.get(), &exitCode) == 0 || exitCode != STILL_ACTIVE) return {};
    return std::to_string((std::uint64_t{created.dwHighDateTime} << 32U) | created.dwLowDateTime);
}

}  // namespace domino_vss
