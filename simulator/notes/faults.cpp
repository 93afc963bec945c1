#include "faults.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cmath>
#include <cstring>
#include <stdexcept>

namespace domino_sim {

namespace {

constexpr std::int64_t kHangStepNs = 5'000'000;

/** An unlimited hang ends when its fault is cleared, so that a test can let the caller continue. */
void hang(const PartitionLayout& shared, const Fault& fault) {
    const std::uint64_t generation = shared.faultGeneration;
    const std::int64_t deadline = fault.hangMs < 0 ? -1 : platform::monotonicNs() + fault.hangMs * 1'000'000;
    while (shared.faultGeneration == generation) {
        const std::int64_t left = deadline < 0 ? kHangStepNs : deadline - platform::monotonicNs();
        if (left <= 0) {
            return;
        }
        platform::sleepExactlyNs(std::min(left, kHangStepNs));
    }
}

double scatter(const Environment& environment, double mean) {
    static std::atomic<std::uint64_t> streams{0};
    thread_local Random random(
        mix(static_cast<std::uint64_t>(environment["SIM_LATENCY_SEED"_setting]), streams.fetch_add(1)));
    const double spread = environment["SIM_LATENCY_SPREAD"_setting];
    if (environment.settings.is("SIM_LATENCY_DISTRIBUTION"_setting, "uniform")) {
        return mean * (1 + spread * (2 * random.unit() - 1));
    }
    if (environment.settings.is("SIM_LATENCY_DISTRIBUTION"_setting, "lognormal")) {
        const double radius = std::sqrt(-2 * std::log(1 - random.unit()));
        const double normal = radius * std::cos(2 * 3.14159265358979323846 * random.unit());
        return mean * std::exp(spread * normal - spread * spread / 2);  // preserves the mean
    }
    return mean;
}

template <typename Number>
Number parseNumber(std::string_view text, int base) {
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (error != std::errc() || end != text.data() + text.size()) {
        throw std::invalid_argument("not a number: " + std::string(text));
    }
    return value;
}

void parseAction(Fault& fault, std::string_view action) {
    if (action.ends_with(",after")) {
        fault.after = 1;
        action.remove_suffix(std::strlen(",after"));
    }
    if (action == "die") {
        fault.action = FaultAction::die;
    } else if (action == "hang" || action.starts_with("hang:")) {
        fault.action = FaultAction::hang;
        fault.hangMs = action == "hang" ? -1 : parseNumber<std::int64_t>(action.substr(5), 10);
    } else if (action.starts_with("0x")) {
        fault.action = FaultAction::fail;
        fault.status = parseNumber<Status>(action.substr(2), 16);
    } else {
        throw std::invalid_argument("fault action must be 0xCODE, hang[:ms] or die, each optionally with ,after");
    }
}

}  // namespace

std::string withSlashes(std::string path) {
    std::ranges::replace(path, platform::kSeparator, '/');
    return path;
}

bool matchesGlob(std::string_view glob, std::string_view text) {
    std::size_t g = 0;
    std::size_t t = 0;
    std::size_t star = std::string_view::npos;
    std::size_t retry = 0;
    while (t < text.size()) {
        if (g < glob.size() && glob[g] == '*') {
            star = g++;
            retry = t;
        } else if (g < glob.size() && (glob[g] == '?' || glob[g] == text[t])) {
            ++g;
            ++t;
        } else if (star != std::string_view::npos) {
            g = star + 1;
            t = ++retry;
        } else {
            return false;
        }
    }
    return glob.substr(g).find_first_not_of('*') == std::string_view::npos;
}

Status sufferFaults(Environment& environment, Function function, bool after, const SubjectName& subject) {
    PartitionLayout& shared = environment.partition->layout();
    if (shared.activeFaults.load(std::memory_order_relaxed) == 0) {
        return kNoError;
    }
    for (Fault& fault : shared.faults) {
        const bool concerned = fault.active != 0 && fault.function == indexOf(function) &&
                               (fault.after != 0) == after &&
                               (fault.glob[0] == 0 || matchesGlob(fault.glob, withSlashes(subject())));
        if (!concerned) {
            continue;
        }
        const std::uint64_t call = fault.seen.fetch_add(1) + 1;
        const bool hits = fault.nth == 0 || call == fault.nth || (fault.onward != 0 && call > fault.nth);
        if (!hits) {
            continue;
        }
        fault.fired.fetch_add(1);
        switch (fault.action) {
            case FaultAction::die: platform::dieNow();
            case FaultAction::hang: hang(shared, fault); break;
            case FaultAction::fail: return fault.status;
        }
    }
    return kNoError;
}

void spendLatency(Environment& environment, Function function, const SubjectName& subject) {
    const double mean = environment[latencyOf(function)];
    if (mean <= 0) {
        return;
    }
    double us = scatter(environment, mean);
    if (const double spread = environment["SIM_LATENCY_DATABASE_SPREAD"_setting]; spread > 0) {
        us *= 1 + spread * (2 * Random(hashOf(subject())).unit() - 1);
    }
    const auto ns = static_cast<std::int64_t>(std::max(us, 0.0) * 1000);
    const auto serialisedNs =
        static_cast<std::int64_t>(static_cast<double>(ns) * environment["SIM_SERIALISED_SHARE"_setting]);
    if (serialisedNs > 0) {
        const platform::RobustLock lock(environment.partition->layout().serialLock);
        platform::sleepExactlyNs(serialisedNs);
    }
    platform::sleepExactlyNs(ns - serialisedNs);
}

void addFault(Partition& partition, std::string_view specification) {
    const auto equals = specification.find('=');
    if (equals == std::string_view::npos) {
        throw std::invalid_argument("fault must be CALL[:nth[+]][@glob]=0xCODE|hang[:ms]|die[,after]");
    }
    std::string_view target = specification.substr(0, equals);
    Fault parsed{};
    parseAction(parsed, specification.substr(equals + 1));
    if (const auto at = target.find('@'); at != std::string_view::npos) {
        const std::string_view glob = target.substr(at + 1);
        std::memcpy(parsed.glob, glob.data(), std::min(glob.size(), sizeof parsed.glob - 1));
        target = target.substr(0, at);
    }
    if (const auto colon = target.find(':'); colon != std::string_view::npos) {
        std::string_view nth = target.substr(colon + 1);
        parsed.onward = nth.ends_with('+') ? 1 : 0;
        nth.remove_suffix(parsed.onward);
        parsed.nth = parseNumber<std::uint64_t>(nth, 10);
        target = target.substr(0, colon);
    }
    const auto function = findFunction(target);
    if (!function) {
        throw std::invalid_argument("no such function: " + std::string(target));
    }
    PartitionLayout& shared = partition.layout();
    const platform::RobustLock lock(shared.faultLock);
    for (Fault& fault : shared.faults) {
        if (fault.active == 0) {
            fault.function = static_cast<std::uint32_t>(indexOf(*function));
            fault.action = parsed.action;
            fault.after = parsed.after;
            fault.status = parsed.status;
            fault.hangMs = parsed.hangMs;
            fault.nth = parsed.nth;
            fault.onward = parsed.onward;
            fault.seen = 0;
            fault.fired = 0;
            std::memcpy(fault.glob, parsed.glob, sizeof fault.glob);
            fault.active = 1;
            shared.activeFaults.fetch_add(1);
            return;
        }
    }
    throw std::invalid_argument("too many faults");
}

void clearFaults(Partition& partition) {
    PartitionLayout& shared = partition.layout();
    const platform::RobustLock lock(shared.faultLock);
    for (Fault& fault : shared.faults) {
        fault.active = 0;
    }
    shared.activeFaults = 0;
    shared.faultGeneration.fetch_add(1);
}

}  // namespace domino_sim
