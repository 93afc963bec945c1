#include "status.h"

#include <new>

namespace domino_sim {

Status statusOf(const std::error_code& error) {
    struct Row {
        std::errc error;
        Status status;
    };
    static constexpr Row kRows[] = {
        {std::errc::no_such_file_or_directory, kNoExist},
        {std::errc::not_a_directory, kNoExist},
        {std::errc::file_exists, kExists},
        {std::errc::too_many_files_open, kTooManyFiles},
        {std::errc::too_many_files_open_in_system, kTooManyFiles},
        {std::errc::permission_denied, kAccess},
        {std::errc::operation_not_permitted, kAccess},
        {std::errc::read_only_file_system, kProtected},
        {std::errc::no_space_on_device, kDiskFull},
        {std::errc::not_enough_memory, kOutOfMemory},
        {std::errc::filename_too_long, kInvalidFileName},
    };
    for (const Row& row : kRows) {
        if (error == row.error) {
            return row.status;
        }
    }
    return kIoError;
}

Status statusOfCurrentException() noexcept {
    try {
        throw;
    } catch (const StatusError& error) {
        return error.code();
    } catch (const std::system_error& error) {
        return statusOf(error.code());
    } catch (const std::bad_alloc&) {
        return kOutOfMemory;
    } catch (...) {
        return kIoError;
    }
}

}  // namespace domino_sim
