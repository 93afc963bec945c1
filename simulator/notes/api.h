#pragma once
// The frame every exported function runs in: initialisation and thread rules, counting, faults, latency, and the
// register noise a caller must not trip over.

#include <cstdint>

#include "faults.h"
#include "runtime.h"

// What is exported from the DLL stands in nnotes.def.
#ifdef _WIN32
#define NOTES_API extern "C"
#else
#define NOTES_API extern "C" [[gnu::visibility("default")]]
#endif

namespace domino_sim {

/** What a call is about, for faults limited to some databases: a handle or a path. */
struct Subject {
    Handle handle = 0;
    const char* path = nullptr;  // LMBCS

    std::string name() const;
};

enum class ThreadRule { initialised, anyThread };

/** kNoError when the call may go on. */
Status beginCall(Function function, const Subject& subject, ThreadRule rule) noexcept;

/** Faults that strike after the call took effect. */
Status endCall(Function function, const Subject& subject, Status status) noexcept;

/** A STATUS or WORD as the register holds it: only the low 16 bits mean anything. */
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

/** Runs the body of a function that returns STATUS; the body gets the environment and may throw. */
template <typename Body>
std::uint64_t call(Function function, const Subject& subject, const Body& body) noexcept {
    return callWithRule(function, ThreadRule::initialised, subject, body);
}

/** Runs the body of a function that returns something else; `refused` is its result when the call may not go on. */
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
