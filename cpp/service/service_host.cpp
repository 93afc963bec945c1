#include "service/service_host.h"

#include <windows.h>

#include <condition_variable>
#include <mutex>
#include <utility>

#include "system/abandonable_thread.h"
#include "system/failure.h"
#include "system/path.h"

namespace domino_vss::service {

namespace {

/// How long databases may take to leave backup mode after a stop request.
constexpr DWORD kStopHintMs = 60'000;

/// The only service of this process: serviceMain has no parameter for a context.
struct Host {
    std::wstring name;
    std::function<void()> stopRequested;
    std::mutex mutex;
    std::condition_variable answered;
    SERVICE_STATUS_HANDLE handle = nullptr;  // guarded by mutex
    SERVICE_STATUS status{};                 // guarded by mutex
    DWORD error = NO_ERROR;                  // guarded by mutex
};

Host* host = nullptr;  // never destroyed: threads of the manager may use it at any time

DWORD windowsState(HostedState state) {
    switch (state) {
        case HostedState::starting: return SERVICE_START_PENDING;
        case HostedState::running: return SERVICE_RUNNING;
        case HostedState::stopping: return SERVICE_STOP_PENDING;
        case HostedState::stopped: return SERVICE_STOPPED;
    }
    return SERVICE_STOPPED;
}

Failure hostFailure(const char* operation, const std::string& name, DWORD error) {
    return systemFailure(code::kService, Phase::prepare, operation, name, static_cast<int>(error));
}

/// Call with the host's mutex held. Reports nothing after SERVICE_STOPPED: the process may end at any moment.
void report(HostedState state, DWORD waitHintMs, DWORD exitCode) {
    SERVICE_STATUS& status = host->status;
    if (host->handle == nullptr || status.dwCurrentState == SERVICE_STOPPED) return;
    // A stop request is not revoked by a start that completes meanwhile.
    if (status.dwCurrentState == SERVICE_STOP_PENDING && state != HostedState::stopped) state = HostedState::stopping;
    const bool pending = state == HostedState::starting || state == HostedState::stopping;
    status.dwServiceType = SERVICE_WIN32_OWN_PROCESS;
    status.dwCurrentState = windowsState(state);
    // Accepts a stop while starting too: listing the databases of a large server takes time.
    status.dwControlsAccepted = state == HostedState::starting || state == HostedState::running
                                    ? SERVICE_ACCEPT_STOP | SERVICE_ACCEPT_SHUTDOWN
                                    : 0;
    status.dwCheckPoint = pending ? status.dwCheckPoint + 1 : 0;
    status.dwWaitHint = pending ? waitHintMs : 0;
    status.dwWin32ExitCode = exitCode == 0 ? NO_ERROR : ERROR_SERVICE_SPECIFIC_ERROR;
    status.dwServiceSpecificExitCode = exitCode;
    ::SetServiceStatus(host->handle, &status);
}

/// An exception must not pass the code of the Service Control Manager. noexcept makes it end the process, which takes
/// all databases out of backup mode; the manager then restarts the service.
DWORD WINAPI control(DWORD request, DWORD /*type*/, void* /*data*/, void* /*context*/) noexcept {
    if (request == SERVICE_CONTROL_INTERROGATE) return NO_ERROR;
    if (request != SERVICE_CONTROL_STOP && request != SERVICE_CONTROL_SHUTDOWN) return ERROR_CALL_NOT_IMPLEMENTED;
    {
        const std::lock_guard lock(host->mutex);
        report(HostedState::stopping, kStopHintMs, 0);
    }
    host->stopRequested();
    return NO_ERROR;
}

/// May return while the service runs; the service ends when it is reported as stopped.
void WINAPI serviceMain(DWORD /*count*/, wchar_t** /*arguments*/) noexcept {
    const std::lock_guard lock(host->mutex);
    host->handle = ::RegisterServiceCtrlHandlerExW(host->name.c_str(), control, nullptr);
    if (host->handle == nullptr)
        host->error = ::GetLastError();
    else
        report(HostedState::starting, kStopHintMs, 0);
    host->answered.notify_all();
}

/// Returns when the service has stopped.
void dispatch() {
    const SERVICE_TABLE_ENTRYW table[] = {{host->name.data(), serviceMain}, {nullptr, nullptr}};
    if (::StartServiceCtrlDispatcherW(table) != 0) return;
    const DWORD error = ::GetLastError();
    const std::lock_guard lock(host->mutex);
    host->error = error;
    host->answered.notify_all();
}

}  // namespace

void hostService(const std::string& name, std::function<void()> stopRequested, std::chrono::milliseconds patience) {
    if (host != nullptr) throw Failure(code::kState, Phase::prepare, "this process is a service already");
    host = new Host;
    host->name = toUtf16(name);
    host->stopRequested = std::move(stopRequested);
    // Not destroyed, like the host: this thread blocks in the manager's dispatcher.
    static const auto* const dispatcher = new AbandonableThread(dispatch, [](Failure&&) {});
    static_cast<void>(dispatcher);
    std::unique_lock lock(host->mutex);
    const bool inTime =
        host->answered.wait_for(lock, patience, [] { return host->handle != nullptr || host->error != NO_ERROR; });
    if (!inTime) throw hostFailure("StartServiceCtrlDispatcherW", name, ERROR_SERVICE_REQUEST_TIMEOUT);
    if (host->error != NO_ERROR) throw hostFailure("StartServiceCtrlDispatcherW", name, host->error);
}

void reportHosted(HostedState state, std::uint32_t waitHintMs, std::uint32_t exitCode) {
    if (host == nullptr) return;
    const std::lock_guard lock(host->mutex);
    report(state, waitHintMs, exitCode);
}

}  // namespace domino_vss::service
