#include "system/failure.h"

#include <new>
#include <utility>

#include "system/system_error.h"

namespace domino_vss {

namespace {

const char* engineText(std::string_view code) {
    if (code == code::kDatabaseBudget) return "took longer than its budget and was skipped";
    if (code == code::kDatabaseNotReached) return "the backup ended before this database had its turn";
    if (code == code::kDatabaseReplaced) return "the database was replaced while the backup ran";
    if (code == code::kDatabaseStuck) return "a call has not returned; the database may still be in backup mode";
    if (code == code::kDatabaseVanished) return "the database was deleted while the backup ran";
    if (code == code::kInternal) return "the thread of this database failed";
    if (code == code::kAborted) return "aborted";
    if (code == code::kDeadline) return "the deadline passed";
    if (code == code::kShadowHangs) return "a call has not returned";
    if (code == code::kWindowTimeout) return "the freeze window exceeded its time limit";
    return "failed";
}

}  // namespace

const char* phaseName(Phase phase) noexcept {
    switch (phase) {
        case Phase::idle: return "idle";
        case Phase::runtime: return "runtime";
        case Phase::find: return "find";
        case Phase::open: return "open";
        case Phase::prepare: return "prepare";
        case Phase::start: return "start";
        case Phase::shadow: return "shadow";
        case Phase::stop: return "stop";
        case Phase::drain: return "drain";
        case Phase::end: return "end";
        case Phase::restore: return "restore";
        case Phase::probe: return "probe";
        case Phase::archive: return "archive";
        case Phase::closed: return "closed";
    }
    return "idle";
}

Failure::Failure(const char* failureCode, Phase failurePhase, std::string failureText, std::string failureSubject)
    : code(failureCode), phase(failurePhase), text(std::move(failureText)), subject(std::move(failureSubject)) {}

Failure failureInFlight(Phase phase) noexcept {
    // These texts are short enough not to allocate.
    try {
        throw;
    } catch (Failure& failure) {
        return std::move(failure);
    } catch (const std::bad_alloc&) {
        return {code::kInternal, phase, "out of memory"};
    } catch (const std::exception& error) {
        try {
            return {code::kInternal, phase, error.what()};
        } catch (const std::bad_alloc&) {
            return {code::kInternal, phase, "out of memory"};
        }
    } catch (...) {
        return {code::kInternal, phase, "unknown error"};
    }
}

CallStatus systemStatus(const char* code, const char* operation, int systemError) noexcept {
    return {code, operation, Domain::system, static_cast<std::uint32_t>(systemError)};
}

Failure describeStatus(const CallStatus& status, Phase phase, std::string subject) {
    Failure failure(status.code, phase, "", std::move(subject));
    failure.operation = status.operation;
    failure.domain = status.domain;
    failure.status = status.status;
    if (status.domain == Domain::system) {
        const int number = static_cast<int>(status.status);
        failure.statusName = systemErrorName(number);
        failure.text = systemErrorText(number);
    } else {
        failure.text = engineText(status.code);
        if (failure.operation.empty()) return failure;
        if (status.code == std::string_view(code::kDatabaseBudget))
            failure.text = failure.operation + " did not return within the budget; the database was skipped";
        if (status.code == std::string_view(code::kDatabaseStuck))
            failure.text = failure.operation +
                           " has not returned, for this database or another one of its thread; the "
                           "database may still be in backup mode";
    }
    return failure;
}

Failure systemFailure(const char* code, Phase phase, const char* operation, std::string subject, int systemError) {
    return describeStatus(systemStatus(code, operation, systemError), phase, std::move(subject));
}

}  // namespace domino_vss
