#include "shadow/vss/diagnosis.h"

#include <array>
#include <cstddef>
#include <utility>

#include "shadow/vss/com_failure.h"
#include "shadow/vss/vss_codes.h"
#include "shadow/vss/vssapi_library.h"
#include "system/windows_resources.h"

namespace domino_vss::vss {

namespace {

bool isElevated() {
    HANDLE opened = nullptr;
    ::OpenProcessToken(::GetCurrentProcess(), TOKEN_QUERY, &opened);
    const unique_handle token(opened);
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

bool isServiceDisabled(const wchar_t* name) {
    const unique_schandle manager(::OpenSCManagerW(nullptr, nullptr, SC_MANAGER_CONNECT));
    if (!manager) return false;
    const unique_schandle service(::OpenServiceW(manager.get(), name, SERVICE_QUERY_CONFIG));
    if (!service) return false;
    alignas(QUERY_SERVICE_CONFIGW) std::array<std::byte, 8192> buffer{};  // the documented maximum
    DWORD needed = 0;
    auto* const config = reinterpret_cast<QUERY_SERVICE_CONFIGW*>(buffer.data());
    return ::QueryServiceConfigW(service.get(), config, static_cast<DWORD>(buffer.size()), &needed) != 0 &&
           config->dwStartType == SERVICE_DISABLED;
}

}  // namespace

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
        require([&] { return components->InitializeForBackup(nullptr); }, "IVssBackupComponents::InitializeForBackup",
                Phase::probe);
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
