#include "api.h"

#include "lmbcs.h"

namespace domino_sim {

std::string Subject::name() const {
    if (path != nullptr) {
        const std::string named = platform::nativePath(lmbcs::toUtf8(path));
        const Environment& environment = *Runtime::get().environment();
        return environment.isInDataDirectory(named) ? named.substr(environment.dataDirectory.size() + 1) : named;
    }
    const auto open = Runtime::get().databases.find(handle);
    return open == nullptr ? std::string() : open->path.canonical;
}

Status beginCall(Function function, const Subject& subject, ThreadRule rule) noexcept {
    Runtime& runtime = Runtime::get();
    Environment* environment = runtime.environment();
    if (environment == nullptr) {
        // No settings exist yet, so only an environment variable can select this.
        static const Settings early{IniFile()};
        if (early.is("SIM_NOT_INITIALISED"_setting, "abort")) {
            panic("Notes not initialised");
        }
        return kNotInitialised;
    }
    PartitionLayout& shared = environment->partition->layout();
    shared.calls[indexOf(function)].fetch_add(1, std::memory_order_relaxed);
    if (rule == ThreadRule::initialised && runtime.currentThread() == 0 &&
        !environment->settings.is("SIM_THREAD_NOT_INITIALISED"_setting, "allow")) {
        shared.accounting.callsOnForeignThread.fetch_add(1);
        if (environment->settings.is("SIM_THREAD_NOT_INITIALISED"_setting, "abort")) {
            panic("thread without NotesInitThread");
        }
        return kNotInitialised;
    }
    try {
        const auto name = [&] { return subject.name(); };
        spendLatency(*environment, function, name);
        return sufferFaults(*environment, function, false, name);
    } catch (...) {
        return statusOfCurrentException();
    }
}

Status endCall(Function function, const Subject& subject, Status status) noexcept {
    Environment* environment = Runtime::get().environment();
    if (environment == nullptr) {
        return status;
    }
    try {
        const Status fault = sufferFaults(*environment, function, true, [&] { return subject.name(); });
        return fault == kNoError ? status : fault;
    } catch (...) {
        return statusOfCurrentException();
    }
}

std::uint64_t withNoise(std::uint16_t value) noexcept {
    thread_local std::uint64_t counter = 0x5DEECE66D;
    counter = counter * 0xD1342543DE82EF95u + 1;
    return (counter & ~std::uint64_t{0xffff}) | (std::uint64_t{1} << 63) | (std::uint64_t{1} << 16) | value;
}

}  // namespace domino_sim
