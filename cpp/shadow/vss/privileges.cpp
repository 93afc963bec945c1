#include "shadow/vss/privileges.h"

#include <windows.h>

#include <mutex>
#include <optional>

#include "system/windows_resources.h"

namespace domino_vss::vss {

namespace {

unique_handle openToken(DWORD access) {
    HANDLE token = nullptr;
    ::OpenProcessToken(::GetCurrentProcess(), access, &token);
    return unique_handle(token);
}

/// Returns whether the privilege was enabled before; nullopt if the process does not hold it.
std::optional<bool> setBackupPrivilege(bool enable) {
    const unique_handle token = openToken(TOKEN_QUERY | TOKEN_ADJUST_PRIVILEGES);
    TOKEN_PRIVILEGES wanted{};
    wanted.PrivilegeCount = 1;
    wanted.Privileges[0].Attributes = enable ? SE_PRIVILEGE_ENABLED : 0;
    if (!token || ::LookupPrivilegeValueW(nullptr, SE_BACKUP_NAME, &wanted.Privileges[0].Luid) == 0)
        return std::nullopt;
    TOKEN_PRIVILEGES before{};
    DWORD length = 0;
    if (::AdjustTokenPrivileges(token.get(), FALSE, &wanted, sizeof before, &before, &length) == 0 ||
        ::GetLastError() == ERROR_NOT_ALL_ASSIGNED)
        return std::nullopt;
    // A privilege that did not change is not in the list of previous states.
    return before.PrivilegeCount == 0 ? enable : (before.Privileges[0].Attributes & SE_PRIVILEGE_ENABLED) != 0;
}

/// Users of the privilege in this process.
struct Users {
    std::mutex mutex;
    int count = 0;
    bool enabledByUs = false;
};

Users& users() {
    static Users instance;
    return instance;
}

}  // namespace

BackupPrivilege::BackupPrivilege() {
    Users& all = users();
    const std::lock_guard lock(all.mutex);
    if (all.count++ > 0) return;
    const std::optional<bool> before = setBackupPrivilege(true);
    all.enabledByUs = before && !*before;
}

BackupPrivilege::~BackupPrivilege() {
    Users& all = users();
    const std::lock_guard lock(all.mutex);
    if (--all.count > 0 || !all.enabledByUs) return;
    setBackupPrivilege(false);
    all.enabledByUs = false;
}

}  // namespace domino_vss::vss
