#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "system/system_error.h"

namespace domino_vss {

namespace {

constexpr std::array kNames{
    std::pair{EPERM, "EPERM"},         std::pair{ENOENT, "ENOENT"},   std::pair{EIO, "EIO"},
    std::pair{EBADF, "EBADF"},         std::pair{EAGAIN, "EAGAIN"},   std::pair{ENOMEM, "ENOMEM"},
    std::pair{EACCES, "EACCES"},       std::pair{EBUSY, "EBUSY"},     std::pair{EEXIST, "EEXIST"},
    std::pair{EXDEV, "EXDEV"},         std::pair{ENOTDIR, "ENOTDIR"}, std::pair{EISDIR, "EISDIR"},
    std::pair{EINVAL, "EINVAL"},       std::pair{EMFILE, "EMFILE"},   std::pair{ENFILE, "ENFILE"},
    std::pair{ETXTBSY, "ETXTBSY"},     std::pair{EFBIG, "EFBIG"},     std::pair{ENOSPC, "ENOSPC"},
    std::pair{EROFS, "EROFS"},         std::pair{EINTR, "EINTR"},     std::pair{EOPNOTSUPP, "EOPNOTSUPP"},
    std::pair{ENOTTY, "ENOTTY"},       std::pair{ELOOP, "ELOOP"},     std::pair{ENAMETOOLONG, "ENAMETOOLONG"},
    std::pair{ENOTEMPTY, "ENOTEMPTY"}, std::pair{ENOSYS, "ENOSYS"},   std::pair{EDQUOT, "EDQUOT"},
    std::pair{ESTALE, "ESTALE"},
};

}  // namespace

int systemErrorOf(const std::error_code& error) noexcept {
    return error.value();
}

int systemErrorOf(std::errc error) noexcept {
    return static_cast<int>(error);
}

std::string_view systemErrorName(int error) noexcept {
    const auto* const found = std::ranges::find(kNames, error, [](const auto& entry) { return entry.first; });
    return found == kNames.end() ? std::string_view{} : found->second;
}

std::string systemErrorText(int error) {
    return std::generic_category().message(error);
}

}  // namespace domino_vss
