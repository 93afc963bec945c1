#include "backup/failure.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

namespace domino_vss::backup {

namespace {

constexpr std::array kErrnoNames{
    std::pair{EPERM, "EPERM"},         std::pair{ENOENT, "ENOENT"},   std::pair{EIO, "EIO"},
    std::pair{EBADF, "EBADF"},         std::pair{EAGAIN, "EAGAIN"},   std::pair{ENOMEM, "ENOMEM"},
    std::pair{EACCES, "EACCES"},       std::pair{EBUSY, "EBUSY"},     std::pair{EEXIST, "EEXIST"},
    std::pair{EXDEV, "EXDEV"},         std::pair{ENOTDIR, "ENOTDIR"}, std::pair{EISDIR, "EISDIR"},
    std::pair{EINVAL, "EINVAL"},       std::pair{EMFILE, "EMFILE"},   std::pair{ENFILE, "ENFILE"},
    std::pair{ETXTBSY, "ETXTBSY"},     std::pair{EFBIG, "EFBIG"},     std::pair{ENOSPC, "ENOSPC"},
    std::pair{EROFS, "EROFS"},         std::pair{EINTR, "EINTR"},     std::pair{EOPNOTSUPP, "EOPNOTSUPP"},
    std::pair{ENOTTY, "ENOTTY"},       std::pair{ELOOP, "ELOOP"},     std::pair{ENAMETOOLONG, "ENAMETOOLONG"},
    std::pair{ENOTEMPTY, "ENOTEMPTY"}, std::pair{ENOSYS, "ENOSYS"},
#ifndef _WIN32
    std::pair{EDQUOT, "EDQUOT"},       std::pair{ESTALE, "ESTALE"},
#endif
};

const char* engineText(std::string_view code) {
    if (code == code::kDatabaseBudget) return "took longer than its budget and was left out";
    if (code == code::kDatabaseNotReached) return "the backup ended before this database had its turn";
    if (code == code::kDatabaseReplaced) return "the database was replaced while the backup ran";
    if (code == code::kDatabaseStuck) return "a call has not returned; the database may still be in backup mode";
    if (code == code::kAborted) return "aborted";
    if (code == code::kDeadline) return "the deadline passed";
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
        case Phase::closed: return "closed";
    }
    return "idle";
}

Failure::Failure(const char* failureCode, Phase failurePhase, std::string failureText, std::string failureSubject)
    : code(failureCode), phase(failurePhase), text(std::move(failureText)), subject(std::move(failureSubject)) {}

std::string_view errnoName(int errorNumber) noexcept {
    const auto* const found =
        std::ranges::find(kErrnoNames, errorNumber, [](const auto& entry) { return entry.first; });
    return found == kErrnoNames.end() ? std::string_view{} : found->second;
}

CallStatus systemStatus(const char* code, const char* operation, int errorNumber) noexcept {
    return {code, operation, Domain::system, static_cast<std::uint32_t>(errorNumber)};
}

Failure describeStatus(const CallStatus& status, Phase phase, std::string subject) {
    Failure failure(status.code, phase, "", std::move(subject));
    failure.operation = status.operation;
    failure.domain = status.domain;
    failure.status = status.status;
    if (status.domain == Domain::system) {
        const int number = static_cast<int>(status.status);
        failure.statusName = errnoName(number);
        failure.text = std::generic_category().message(number);
    } else {
        failure.text = engineText(status.code);
    }
    return failure;
}

Failure systemFailure(const char* code, Phase phase, const char* operation, std::string subject, int errorNumber) {
    return describeStatus(systemStatus(code, operation, errorNumber), phase, std::move(subject));
}

}  // namespace domino_vss::backup
