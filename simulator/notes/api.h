#pragma once
// What surrounds every exported function: initialisation and thread rules, counters, faults, latencies, and the
// undefined register bits that callers must ignore.

#include <cstdint>

#include "faults.h"
#include "runtime.h"

// The exports of the DLL are listed in nnotes.def.
#ifdef _WIN32
#define NOTES_API extern "C"
#else
#define NOTES_API extern "C" [[gnu::visibility("default")]]
#endif

namespace domino_sim {

/** The database of a call, for faults limited to certain databases: a handle or a path. */
struct Subject {
    Handle handle = 0;
    const char* path = nullptr;  // LMBCS

    std::string name() const;
};

enum class ThreadRule { initialised, anyThread };

/** Returns kNoError if the call may proceed. */
Status beginCall(Function function, const Subject& subject, ThreadRule rule) noexcept;

/** Applies faults that strike after the call has taken effect. */
Status endCall(Function function, const Subject& subject, Status status) noexcept;

/** A STATUS or WORD as it is in the register: only the low 16 bits are defined. */
std::uint64_t withNoise(std::uint16_t value) noexcept;

template <typename Body>
std::uint64_t callWithRule(Function function, ThreadRule rule, const Subject& subject, const Body& body) noexcept {
    Status status = beginCall(function, subject, rule);
    if (status == kNoError) {
        try {
            status = body(*Runtime::get().environment());
        } catch (...) {
            status = statusOfCurrentException();
        }
    }
    return withNoise(endCall(function, subject, status));
}

/** Runs the body of a function that returns STATUS. The body receives the environment and may throw. */
template <typename Body>
std::uint64_t call(Function function, const Subject& subject, const Body& body) noexcept {
    return callWithRule(function, ThreadRule::initialised, subject, body);
}

/** Runs the body of a function that returns something else. `refused` is the result if the call may not proceed. */
template <typename Result, typename Body>
Result callFor(Function function, Result refused, const Body& body) noexcept {
    if (beginCall(function, {}, ThreadRule::initialised) != kNoError) {
        return refused;
    }
    try {
        return body(*Runtime::get().environment());
    } catch (...) {
        return refused;
    }
}

/** Reserved arguments must be zero. */
inline void requireZero(std::uint32_t flags) {
    if (flags != 0) {
        throw StatusError(kValueFlags);
    }
}

inline void store(std::uint32_t* target, std::uint64_t value) {
    if (target != nullptr) {
        *target = static_cast<std::uint32_t>(value);
    }
}

}  // namespace domino_sim
