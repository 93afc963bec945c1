#include "call.h"

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>

#include "accounting.h"
#include "operation.h"
#include "settings.h"
#include "state_directory.h"

namespace vss_simulator {

namespace {

/** How often this name was used in this process, starting at 1. */
int passes(const std::string& name) {
    static std::mutex mutex;
    static std::map<std::string, int> counts;
    const std::scoped_lock lock(mutex);
    return ++counts[name];
}

/** The action set for this use of `name`; empty if none. */
std::string dueFault(const std::string& name) {
    const int nth = passes(name);
    const std::string always = settings().text("fault." + name + ".*", "");
    return settings().text("fault." + name + "." + std::to_string(nth), always);
}

HRESULT resultFrom(const std::string& text) {
    return static_cast<HRESULT>(static_cast<std::uint32_t>(std::stoul(text, nullptr, 0)));
}

std::string withoutInterface(std::string_view method) {
    const std::size_t colons = method.rfind("::");
    return std::string(colons == std::string_view::npos ? method : method.substr(colons + 2));
}

/**
 * Whether the calling thread may be served. As on Windows, it is also in the multi-threaded apartment while another
 * thread of the process is.
 */
bool isInApartment() {
    APTTYPE type{};
    APTTYPEQUALIFIER qualifier{};
    if (CoGetApartmentType(&type, &qualifier) == S_OK) {
        if (qualifier != APTTYPEQUALIFIER_IMPLICIT_MTA) return true;
        if (settings().flag("implicit_apartment", true)) {
            count(Counter::LenientImplicitApartment);
            return true;
        }
    }
    if (settings().flag("apartment_required", true)) {
        count(Counter::WithoutApartment);
        return false;
    }
    count(Counter::LenientWithoutApartment);
    return true;
}

void die() {
    TerminateProcess(GetCurrentProcess(), 137);
}

/**
 * Logs a call with its start on a clock shared by all processes, because a call can end after the work it has started.
 */
void log(const std::string& method, HRESULT result, std::chrono::steady_clock::time_point start) {
    static const bool wanted = settings().flag("log", false);
    if (!wanted) return;
    using Milliseconds = std::chrono::duration<double, std::milli>;
    const Milliseconds took = std::chrono::steady_clock::now() - start;
    const Milliseconds at = start.time_since_epoch();
    std::array<char, 256> line{};
    const int length = std::snprintf(
        line.data(), line.size(), "pid=%lu tid=%lu at=%.4f ms=%.3f method=%s result=0x%08lx\n", GetCurrentProcessId(),
        GetCurrentThreadId(), at.count(), took.count(), method.c_str(), static_cast<unsigned long>(result));
    // One write per line, so that lines of several processes do not mix.
    const HANDLE file = CreateFileW((stateDirectory() / L"calls.log").c_str(), FILE_APPEND_DATA,
                                    FILE_SHARE_READ | FILE_SHARE_WRITE, nullptr, OPEN_ALWAYS, 0, nullptr);
    if (file == INVALID_HANDLE_VALUE) return;
    DWORD wrote = 0;
    WriteFile(file, line.data(), static_cast<DWORD>(length), &wrote, nullptr);
    CloseHandle(file);
}

}  // namespace

CallRecord::CallRecord(std::string_view method) : method_(method), start_(std::chrono::steady_clock::now()) {
    count(Counter::Calls);
}

std::optional<HRESULT> CallRecord::enter() {
    if (!isInApartment()) return CO_E_NOTINITIALIZED;
    const std::string name = withoutInterface(method_);
    if (const auto latencyMs = settings().number("latency." + name, 0)) Sleep(static_cast<DWORD>(latencyMs));
    const std::string fault = dueFault(name);
    if (fault.empty()) return std::nullopt;
    if (fault == "die") die();
    if (fault == "hang") Sleep(INFINITE);
    return resultFrom(fault);
}

std::optional<HRESULT> CallRecord::enterAsync(Operation& operation) {
    const std::string name = withoutInterface(method_);
    operation.pause(settings().number("latency." + name, 0));
    const std::string fault = dueFault(name);
    if (fault.empty()) return std::nullopt;
    if (fault == "die") die();
    if (fault == "hang") operation.pause(-1);
    return resultFrom(fault);
}

HRESULT CallRecord::leave(HRESULT result) const {
    if (result == VSS_E_BAD_STATE) count(Counter::BadStates);
    log(method_, result, start_);
    return result;
}

void passPhase(std::string_view phase, Operation& operation) {
    const std::string name = "phase." + std::string(phase);
    operation.pause(settings().number("latency." + name, 0));
    const std::string fault = dueFault(name);
    if (fault.empty()) return;
    if (fault == "die") die();
    if (fault == "hang") operation.pause(-1);
    throw Failure(resultFrom(fault));
}

HRESULT currentExceptionResult() {
    try {
        throw;
    } catch (const Failure& failure) {
        return failure.result;
    } catch (const std::bad_alloc&) {
        return E_OUTOFMEMORY;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "vssapi.dll stand-in: %s\n", error.what());
        return VSS_E_UNEXPECTED;
    } catch (...) {
        return VSS_E_UNEXPECTED;
    }
}

}  // namespace vss_simulator
