// A stand-in for nservice.exe, the program of the Windows service of a Domino server. It takes time to start and to
// stop, and writes data while it runs.
//
//   domino-service install NAME DIRECTORY     registers the service with its own directory
//   domino-service remove NAME
//   domino-service start|stop NAME            what another administrator would do; does not wait
//
// DIRECTORY\settings has lines name=value, read at each start: start_ms and stop_ms (duration of start and stop), and
// start_fails (exit code of a start that fails). DIRECTORY\data.nsf grows while the server runs; "closed" is appended
// after it has stopped. DIRECTORY\events.log has a line for each change: milliseconds of the clock used by the log of
// the VSS stand-in, and starting, started, failed, stopping or stopped.

#include <windows.h>

#include <chrono>
#include <cwchar>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <type_traits>

namespace {

struct ServiceHandleCloser {
    void operator()(SC_HANDLE handle) const noexcept { ::CloseServiceHandle(handle); }
};
using ServiceHandle = std::unique_ptr<std::remove_pointer_t<SC_HANDLE>, ServiceHandleCloser>;

constexpr DWORD kWaitHintMs = 1'000;

// State of the only service in this process: ServiceMain and the control handler get no context.
std::wstring serviceName;
std::filesystem::path directory;
SERVICE_STATUS_HANDLE statusHandle = nullptr;
SERVICE_STATUS status{};
HANDLE stopEvent = nullptr;

void report(DWORD state, DWORD specificExitCode = 0) {
    const bool pending = state == SERVICE_START_PENDING || state == SERVICE_STOP_PENDING;
    status.dwServiceType = SERVICE_WIN32_OWN_PROCESS;
    status.dwControlsAccepted = state == SERVICE_RUNNING ? SERVICE_ACCEPT_STOP : 0;
    status.dwCheckPoint = pending ? status.dwCheckPoint + 1 : 0;
    status.dwWaitHint = pending ? kWaitHintMs : 0;
    status.dwCurrentState = state;
    status.dwWin32ExitCode = specificExitCode == 0 ? NO_ERROR : ERROR_SERVICE_SPECIFIC_ERROR;
    status.dwServiceSpecificExitCode = specificExitCode;
    ::SetServiceStatus(statusHandle, &status);
}

void log(const char* event) {
    using namespace std::chrono;
    const auto now = duration<double, std::milli>(steady_clock::now().time_since_epoch()).count();
    std::ofstream(directory / L"events.log", std::ios::app | std::ios::binary)
        << std::fixed << now << ' ' << event << '\n';
}

DWORD setting(const std::string& name) {
    std::ifstream file(directory / L"settings");
    for (std::string line; std::getline(file, line);)
        if (line.starts_with(name + '=')) return static_cast<DWORD>(std::stoul(line.substr(name.size() + 1)));
    return 0;
}

void takeTime(DWORD milliseconds, DWORD state) {
    constexpr DWORD kStepMs = 100;
    for (DWORD passed = 0; passed < milliseconds; passed += kStepMs) {
        ::Sleep(kStepMs);
        report(state);
    }
}

DWORD WINAPI control(DWORD request, DWORD /*type*/, void* /*data*/, void* /*context*/) {
    if (request == SERVICE_CONTROL_INTERROGATE) return NO_ERROR;
    if (request != SERVICE_CONTROL_STOP) return ERROR_CALL_NOT_IMPLEMENTED;
    report(SERVICE_STOP_PENDING);
    ::SetEvent(stopEvent);
    return NO_ERROR;
}

void WINAPI serviceMain(DWORD /*count*/, wchar_t** /*arguments*/) {
    statusHandle = ::RegisterServiceCtrlHandlerExW(serviceName.c_str(), control, nullptr);
    stopEvent = ::CreateEventW(nullptr, TRUE, FALSE, nullptr);
    if (statusHandle == nullptr || stopEvent == nullptr) return;
    report(SERVICE_START_PENDING);
    log("starting");
    takeTime(setting("start_ms"), SERVICE_START_PENDING);
    if (const DWORD exitCode = setting("start_fails"); exitCode != 0) {
        log("failed");
        report(SERVICE_STOPPED, exitCode);
        return;
    }
    const DWORD stopMs = setting("stop_ms");
    std::ofstream data(directory / L"data.nsf", std::ios::trunc | std::ios::binary);
    data.write("\x1A\0", 2);  // so that it looks like a database
    log("started");
    report(SERVICE_RUNNING);
    do data << "open\n" << std::flush;
    while (::WaitForSingleObject(stopEvent, 10) == WAIT_TIMEOUT);
    log("stopping");
    takeTime(stopMs, SERVICE_STOP_PENDING);
    data << "closed\n";
    data.close();
    log("stopped");
    report(SERVICE_STOPPED);
}

int failed(const char* operation) {
    std::cerr << operation << ": error " << ::GetLastError() << '\n';
    return 1;
}

int install(const wchar_t* name, const wchar_t* itsDirectory) {
    std::wstring self(MAX_PATH, L'\0');
    self.resize(::GetModuleFileNameW(nullptr, self.data(), static_cast<DWORD>(self.size())));
    const std::wstring command = L'"' + self + L"\" run \"" + name + L"\" \"" + itsDirectory + L'"';
    const ServiceHandle manager(::OpenSCManagerW(nullptr, nullptr, SC_MANAGER_CREATE_SERVICE));
    if (!manager) return failed("OpenSCManagerW");
    const ServiceHandle service(::CreateServiceW(manager.get(), name, name, SERVICE_ALL_ACCESS,
                                                 SERVICE_WIN32_OWN_PROCESS, SERVICE_DEMAND_START, SERVICE_ERROR_NORMAL,
                                                 command.c_str(), nullptr, nullptr, nullptr, nullptr, nullptr));
    return service ? 0 : failed("CreateServiceW");
}

int order(std::wstring_view what, const wchar_t* name) {
    const ServiceHandle manager(::OpenSCManagerW(nullptr, nullptr, SC_MANAGER_CONNECT));
    if (!manager) return failed("OpenSCManagerW");
    const ServiceHandle service(::OpenServiceW(manager.get(), name, SERVICE_ALL_ACCESS));
    if (!service) return failed("OpenServiceW");
    SERVICE_STATUS answer{};
    if (what == L"remove") return ::DeleteService(service.get()) != 0 ? 0 : failed("DeleteService");
    if (what == L"start") return ::StartServiceW(service.get(), 0, nullptr) != 0 ? 0 : failed("StartServiceW");
    return ::ControlService(service.get(), SERVICE_CONTROL_STOP, &answer) != 0 ? 0 : failed("ControlService");
}

}  // namespace

int wmain(int count, wchar_t** arguments) {
    const std::wstring_view verb = count > 1 ? arguments[1] : L"";
    if (verb == L"install" && count == 4) return install(arguments[2], arguments[3]);
    if ((verb == L"remove" || verb == L"start" || verb == L"stop") && count == 3) return order(verb, arguments[2]);
    if (verb != L"run" || count != 4) {
        std::cerr << "usage: domino-service install NAME DIRECTORY | remove NAME | start NAME | stop NAME\n";
        return 2;
    }
    serviceName = arguments[2];
    directory = arguments[3];
    const SERVICE_TABLE_ENTRYW table[] = {{serviceName.data(), serviceMain}, {nullptr, nullptr}};
    return ::StartServiceCtrlDispatcherW(table) != 0 ? 0 : failed("StartServiceCtrlDispatcherW");
}
