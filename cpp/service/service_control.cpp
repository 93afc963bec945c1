#include "service/service_control.h"

#include <windows.h>

#include <cstddef>

#include "system/failure.h"
#include "system/path.h"
#include "system/windows_resources.h"

namespace domino_vss::service {

namespace {

Failure serviceFailure(const char* operation, const std::string& name, DWORD error) {
    return systemFailure(code::kService, Phase::prepare, operation, name, static_cast<int>(error));
}

/// Opens a service. The manager's handle is only needed for that.
unique_schandle open(const std::string& name, DWORD access) {
    const unique_schandle manager(::OpenSCManagerW(nullptr, nullptr, SC_MANAGER_CONNECT));
    if (!manager) throw serviceFailure("OpenSCManagerW", name, ::GetLastError());
    unique_schandle service(::OpenServiceW(manager.get(), toUtf16(name).c_str(), access));
    if (!service) throw serviceFailure("OpenServiceW", name, ::GetLastError());
    return service;
}

}  // namespace

ServiceStatus queryService(const std::string& name) {
    const unique_schandle service = open(name, SERVICE_QUERY_STATUS);
    SERVICE_STATUS_PROCESS status{};
    DWORD needed = 0;
    if (::QueryServiceStatusEx(service.get(), SC_STATUS_PROCESS_INFO, reinterpret_cast<BYTE*>(&status), sizeof status,
                               &needed) == 0)
        throw serviceFailure("QueryServiceStatusEx", name, ::GetLastError());
    return {status.dwCurrentState, status.dwCheckPoint, status.dwWaitHint, status.dwWin32ExitCode,
            status.dwServiceSpecificExitCode};
}

void requestStop(const std::string& name) {
    const unique_schandle service = open(name, SERVICE_STOP | SERVICE_START);
    SERVICE_STATUS status{};
    if (::ControlService(service.get(), SERVICE_CONTROL_STOP, &status) == 0)
        throw serviceFailure("ControlService", name, ::GetLastError());
}

void requestStart(const std::string& name) {
    const unique_schandle service = open(name, SERVICE_START);
    if (::StartServiceW(service.get(), 0, nullptr) == 0) throw serviceFailure("StartServiceW", name, ::GetLastError());
}

std::vector<std::string> runningDependents(const std::string& name) {
    const unique_schandle service = open(name, SERVICE_ENUMERATE_DEPENDENTS);
    std::vector<std::byte> buffer;
    DWORD needed = 0;
    DWORD count = 0;
    // Repeated if another service was started between the two calls.
    while (::EnumDependentServicesW(service.get(), SERVICE_ACTIVE,
                                    reinterpret_cast<ENUM_SERVICE_STATUSW*>(buffer.data()),
                                    static_cast<DWORD>(buffer.size()), &needed, &count) == 0) {
        if (::GetLastError() != ERROR_MORE_DATA) throw serviceFailure("EnumDependentServicesW", name, ::GetLastError());
        buffer.resize(needed);
    }
    const auto* const dependents = reinterpret_cast<const ENUM_SERVICE_STATUSW*>(buffer.data());
    std::vector<std::string> names;
    for (DWORD i = 0; i < count; ++i) names.push_back(toUtf8(dependents[i].lpServiceName));
    return names;
}

}  // namespace domino_vss::service
