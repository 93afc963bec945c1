#include "shadow/vss/privileges.h"

#include <array>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>

#include "shadow/vss/com.h"
#include "shadow/vss/vss_codes.h"
#include "shadow/vss/vssapi_library.h"
#include "system/windows_handle.h"

namespace domino_vss::vss {

namespace {

WindowsHandle openToken(DWORD access) {
    HANDLE token = nullptr;
    ::OpenProcessToken(::GetCurrentProcess(), access, &token);
    return WindowsHandle(token);
}

/// Whether the privilege was enabled before; nothing when the process does not hold it.
std::optional<bool> setBackupPrivilege(bool enable) {
    const WindowsHandle token = openToken(TOKEN_QUERY | TOKEN_ADJUST_PRIVILEGES);
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
    // What did not change is not among the previous states.
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

bool isElevated() {
    const WindowsHandle token = openToken(TOKEN_QUERY);
    TOKEN_ELEVATION elevation{};
    DWORD length = 0;
    return token && ::GetTokenInformation(token.get(), TokenElevation, &elevation, sizeof elevation, &length) != 0 &&
           elevation.TokenIsElevated != 0;
}

Failure refusal(const char* code, const char* operation, HRESULT result, std::string text, std::string subject) {
    Failure failure = comFailure(result, operation, Phase::probe, std::move(subject));
    failure.code = code;
    failure.text = std::move(text);
    return failure;
}

struct CloseService {
    void operator()(SC_HANDLE handle) const noexcept { ::CloseServiceHandle(handle); }
};
using ServiceHandle = std::unique_ptr<std::remove_pointer_t<SC_HANDLE>, CloseService>;

bool isServiceDisabled(const wchar_t* name) {
    const ServiceHandle manager(::OpenSCManagerW(nullptr, nullptr, SC_MANAGER_CONNECT));
    if (!manager) return false;
    const ServiceHandle service(::OpenServiceW(manager.get(), name, SERVICE_QUERY_CONFIG));
    if (!service) return false;
    alignas(QUERY_SERVICE_CONFIGW) std::array<std::byte, 8192> buffer{};  // the most that it can need
    DWORD needed = 0;
    auto* const config = reinterpret_cast<QUERY_SERVICE_CONFIGW*>(buffer.data());
    return ::QueryServiceConfigW(service.get(), config, static_cast<DWORD>(buffer.size()), &needed) != 0 &&
           config->dwStartType == SERVICE_DISABLED;
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

std::vector<Failure> whyNotVss() {
    std::vector<Failure> reasons;
    BOOL wow64 = FALSE;
    if (::IsWow64Process(::GetCurrentProcess(), &wow64) != 0 && wow64 != FALSE)
        reasons.push_back(refusal(code::kUnsupported, "IsWow64Process", E_NOTIMPL,
                                  "a 32-bit process cannot use VSS of a 64-bit Windows", "Node.js"));
    for (const auto& [name, subject] : {std::pair{L"VSS", "VSS"}, std::pair{L"EventSystem", "EventSystem"}})
        if (isServiceDisabled(name))
            reasons.push_back(refusal(code::kVssService, "QueryServiceConfig",
                                      HRESULT_FROM_WIN32(ERROR_SERVICE_DISABLED), "the service is disabled", subject));
    if (!reasons.empty()) return reasons;
    try {
        const ComPtr<IVssBackupComponents> components = createBackupComponents();
        require(components->InitializeForBackup(nullptr), "IVssBackupComponents::InitializeForBackup", Phase::probe);
    } catch (const Failure& caught) {
        Failure failure(caught);
        failure.phase = Phase::probe;
        if (failure.domain == Domain::com && failure.status == result::kAccessDenied) {
            failure.code = code::kVssAccess;
            failure.text = isElevated() ? "the account is neither an administrator nor a backup operator"
                                        : "the process is not elevated: administrators, too, must start it as such";
        }
        reasons.push_back(failure);
    }
    return reasons;
}

}  // namespace domino_vss::vss
