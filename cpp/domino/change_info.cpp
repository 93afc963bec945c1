#include "domino/change_info.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "backup/file_descriptor.h"
#include "domino/lmbcs.h"
#include "domino/runtime.h"

namespace domino_vss::domino {

namespace {

using backup::Failure;
using backup::FileDescriptor;
using backup::Phase;

/// Reads until the buffer is full or the file ends.
std::size_t readPiece(int descriptor, std::span<char> buffer, const std::string& file) {
    std::size_t filled = 0;
    while (filled < buffer.size()) {
        const ssize_t got = ::read(descriptor, buffer.data() + filled, buffer.size() - filled);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) throw backup::systemFailure(backup::code::kCopy, Phase::restore, "read", file, errno);
        if (got == 0) break;
        filled += static_cast<std::size_t>(got);
    }
    return filled;
}

/// NSFBackupEndApplyChangeInfo is due once the start has succeeded, with abort unless everything was applied.
class Application {
public:
    Application(const Api& api, const ChangeInfoFile& info) : api_(api), subject_(info.copyFile) {
        std::string copy = toLmbcs(api, info.copyFile);
        require(api,
                api.NSFBackupStartApplyChangeInfo(&context_, copy.data(), 0,
                                                  static_cast<DWORD>(info.announcedBytes & 0xFFFFFFFFU),
                                                  static_cast<DWORD>(info.announcedBytes >> 32U)),
                "NSFBackupStartApplyChangeInfo", Phase::restore, subject_);
    }
    Application(const Application&) = delete;
    Application& operator=(const Application&) = delete;
    ~Application() {
        if (!finished_) static_cast<void>(api_.NSFBackupEndApplyChangeInfo(context_, kApplyEndAbort));
    }

    void apply(std::span<char> piece) {
        require(api_, api_.NSFBackupApplyNextChangeInfo(context_, 0, piece.data(), static_cast<DWORD>(piece.size())),
                "NSFBackupApplyNextChangeInfo", Phase::restore, subject_);
    }

    void finish() {
        finished_ = true;
        require(api_, api_.NSFBackupEndApplyChangeInfo(context_, 0), "NSFBackupEndApplyChangeInfo", Phase::restore,
                subject_);
    }

private:
    const Api& api_;
    const std::string& subject_;
    DHANDLE context_ = 0;
    bool finished_ = false;
};

}  // namespace

void applyChangeInfo(const Api& api, const ChangeInfoFile& info) {
    const FileDescriptor delta(::open(info.deltaFile.c_str(), O_RDONLY | O_CLOEXEC));
    if (!delta.valid()) throw backup::systemFailure(backup::code::kCopy, Phase::restore, "open", info.deltaFile, errno);
    std::uint32_t largest = info.pieceBytes;
    for (const std::uint32_t length : info.irregularPieces) largest = std::max(largest, length);
    std::vector<char> buffer(largest);
    Application application(api, info);
    std::uint64_t applied = 0;
    for (std::size_t i = 0;; ++i) {
        const bool listed = i < info.irregularPieces.size();
        const std::span<char> want = std::span(buffer).first(listed ? info.irregularPieces[i] : info.pieceBytes);
        const std::size_t got = readPiece(delta.get(), want, info.deltaFile);
        if (got == 0) break;
        application.apply(want.first(got));
        applied += got;
    }
    struct stat status {};
    if (::fstat(delta.get(), &status) != 0)
        throw backup::systemFailure(backup::code::kCopy, Phase::restore, "fstat", info.deltaFile, errno);
    if (applied != static_cast<std::uint64_t>(status.st_size))
        throw Failure(backup::code::kCorruptChangeInfo, Phase::restore, "not all of the file could be applied",
                      info.deltaFile);
    application.finish();
}

}  // namespace domino_vss::domino
