#include "service/service_registration.h"

#include <windows.h>

#include <array>

#include "system/failure.h"
#include "system/path.h"
#include "system/windows_resources.h"

namespace domino_vss::service {

namespace {

constexpr const wchar_t* kVssAccessControl = L"SYSTEM\\CurrentControlSet\\Services\\VSS\\VssAccessControl";
/// After this time without a failure, the count of failures is reset.
constexpr DWORD kResetSeconds = 24 * 60 * 60;

Failure serviceFailure(const char* operation, const std::string& name, DWORD error) {
    return systemFailure(code::kService, Phase::prepare, operation, name, static_cast<int>(error));
}

unique_schandle openManager(const std::string& name, DWORD access) {
    unique_schandle manager(::OpenSCManagerW(nullptr, nullptr, access));
    if (!manager) throw serviceFailure("OpenSCManagerW", name, ::GetLastError());
    return manager;
}

void configure(SC_HANDLE service, const std::string& name, DWORD what, void* value) {
    if (::ChangeServiceConfig2W(service, what, value) != 0) return;
    // All supported versions of Windows know the levels used here; Wine lacks some.
    if (const DWORD error = ::GetLastError(); error != ERROR_INVALID_LEVEL)
        throw serviceFailure("ChangeServiceConfig2W", name, error);
}

void configureAll(SC_HANDLE service, const ServiceRegistration& registration) {
    std::wstring text = toUtf16(registration.description);
    SERVICE_DESCRIPTIONW description{text.data()};
    configure(service, registration.name, SERVICE_CONFIG_DESCRIPTION, &description);

    SERVICE_DELAYED_AUTO_START_INFO delayed{TRUE};
    configure(service, registration.name, SERVICE_CONFIG_DELAYED_AUTO_START_INFO, &delayed);

    std::array<SC_ACTION, 3> actions{
        {{SC_ACTION_RESTART, 10'000}, {SC_ACTION_RESTART, 60'000}, {SC_ACTION_RESTART, 600'000}}};
    SERVICE_FAILURE_ACTIONSW failures{};
    failures.dwResetPeriod = kResetSeconds;
    failures.cActions = static_cast<DWORD>(actions.size());
    failures.lpsaActions = actions.data();
    configure(service, registration.name, SERVICE_CONFIG_FAILURE_ACTIONS, &failures);

    // Also after an orderly stop with an exit code that reports a failure.
    SERVICE_FAILURE_ACTIONS_FLAG always{TRUE};
    configure(service, registration.name, SERVICE_CONFIG_FAILURE_ACTIONS_FLAG, &always);
}

/// Without this entry, VSS refuses writers whose account is neither LocalSystem nor an administrator.
void allowWriter(const std::string& name, const std::string& account) {
    HKEY opened = nullptr;
    LSTATUS status = ::RegCreateKeyExW(HKEY_LOCAL_MACHINE, kVssAccessControl, 0, nullptr, 0, KEY_SET_VALUE, nullptr,
                                       &opened, nullptr);
    if (status != ERROR_SUCCESS) throw serviceFailure("RegCreateKeyExW", name, static_cast<DWORD>(status));
    const unique_hkey key(opened);
    const DWORD allowed = 1;
    status = ::RegSetValueExW(key.get(), toUtf16(account).c_str(), 0, REG_DWORD,
                              reinterpret_cast<const BYTE*>(&allowed), sizeof allowed);
    if (status != ERROR_SUCCESS) throw serviceFailure("RegSetValueExW", name, static_cast<DWORD>(status));
}

}  // namespace

void installService(const ServiceRegistration& registration) {
    const std::string& name = registration.name;
    const std::wstring account = toUtf16(registration.account);
    const unique_schandle manager = openManager(name, SC_MANAGER_CREATE_SERVICE);
    const unique_schandle service(::CreateServiceW(
        manager.get(), toUtf16(name).c_str(), toUtf16(registration.displayName).c_str(), SERVICE_ALL_ACCESS,
        SERVICE_WIN32_OWN_PROCESS, SERVICE_AUTO_START, SERVICE_ERROR_NORMAL, toUtf16(registration.command).c_str(),
        nullptr, nullptr, nullptr, account.empty() ? nullptr : account.c_str(), nullptr));
    if (!service) throw serviceFailure("CreateServiceW", name, ::GetLastError());
    try {
        configureAll(service.get(), registration);
        if (!account.empty()) allowWriter(name, registration.account);
    } catch (...) {
        ::DeleteService(service.get());
        throw;
    }
}

void uninstallService(const std::string& name) {
    const unique_schandle manager = openManager(name, SC_MANAGER_CONNECT);
    const unique_schandle service(::OpenServiceW(manager.get(), toUtf16(name).c_str(), DELETE));
    if (!service) throw serviceFailure("OpenServiceW", name, ::GetLastError());
    if (::DeleteService(service.get()) == 0) throw serviceFailure("DeleteService", name, ::GetLastError());
}

}  // namespace domino_vss::service
