// There is no VSS here; the tests of the writer need it.

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "shadow/vss/writer/shadow_files.h"
#include "system/failure.h"
#include "system/file_descriptor.h"
#include "system/path.h"
#include "system/system_error.h"

namespace domino_vss::vss {

namespace {

void require(const std::error_code& error, const char* operation, const std::string& file) {
    if (error) throw systemFailure(code::kShadow, Phase::end, operation, file, systemErrorOf(error));
}

}  // namespace

void cutInShadow(const std::string& root, const std::string& path, std::uint64_t sizeBytes) {
    std::filesystem::path file = pathOf(root);
    for (const std::filesystem::path& part : pathOf(path)) {
        file /= part;
        if (std::filesystem::is_symlink(file))
            throw Failure(code::kShadow, Phase::end, "a link leads out of the shadow", utf8Of(file));
    }
    std::error_code error;
    const std::uintmax_t size = std::filesystem::file_size(file, error);
    require(error, "stat", utf8Of(file));
    if (size < sizeBytes)
        throw Failure(code::kShadow, Phase::end, "it is shorter there than at NSFBackupStart", utf8Of(file));
    if (size > sizeBytes) std::filesystem::resize_file(file, sizeBytes, error);
    require(error, "truncate", utf8Of(file));
}

void flushInShadow(const std::string& file) {
    const FileDescriptor descriptor(::open(file.c_str(), O_WRONLY | O_CLOEXEC));
    if (!descriptor.valid() || ::fsync(descriptor.get()) != 0)
        throw systemFailure(code::kShadow, Phase::end, "fsync", file, errno);
}

bool linkDirectory(const std::string& link, const std::string& target) noexcept {
    std::error_code error;
    std::filesystem::create_directory_symlink(pathOf(target), pathOf(link), error);
    return !error;
}

void removeDirectoryLink(const std::string& link) noexcept {
    std::error_code error;
    std::filesystem::remove(pathOf(link), error);
}

}  // namespace domino_vss::vss
