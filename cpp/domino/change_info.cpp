#include "domino/change_info.h"

#include <algorithm>
#include <vector>

#include "domino/lmbcs.h"
#include "domino/runtime.h"
#include "system/current_call.h"
#include "system/file.h"
#include "system/file_system.h"

namespace domino_vss::domino {

namespace {

/// After a successful start, NSFBackupEndApplyChangeInfo must be called, with abort unless everything was applied.
class Application {
public:
    Application(const Api& api, const ChangeInfoFile& info) : api_(api), subject_(info.copyFile) {
        std::string copy = toLmbcs(api, info.copyFile);
        CurrentCall::note("NSFBackupStartApplyChangeInfo");
        require(api,
                api.NSFBackupStartApplyChangeInfo(&context_, copy.data(), 0,
                                                  static_cast<DWORD>(info.announcedBytes & 0xFFFFFFFFU),
                                                  static_cast<DWORD>(info.announcedBytes >> 32U)),
                "NSFBackupStartApplyChangeInfo", Phase::restore, subject_);
    }
    Application(const Application&) = delete;
    Application& operator=(const Application&) = delete;
    ~Application() {
        if (finished_) return;
        CurrentCall::note("NSFBackupEndApplyChangeInfo");
        static_cast<void>(api_.NSFBackupEndApplyChangeInfo(context_, kApplyEndAbort));
    }

    void apply(std::span<char> piece) {
        CurrentCall::note("NSFBackupApplyNextChangeInfo");
        require(api_, api_.NSFBackupApplyNextChangeInfo(context_, 0, piece.data(), static_cast<DWORD>(piece.size())),
                "NSFBackupApplyNextChangeInfo", Phase::restore, subject_);
    }

    void finish() {
        finished_ = true;
        CurrentCall::note("NSFBackupEndApplyChangeInfo");
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
    File delta;
    if (const int error = delta.openForReading(info.deltaFile); error != 0)
        throw systemFailure(code::kCopy, Phase::restore, "open", info.deltaFile, error);
    std::uint32_t largest = info.pieceBytes;
    for (const std::uint32_t length : info.irregularPieces) largest = std::max(largest, length);
    std::vector<char> buffer(largest);
    Application application(api, info);
    std::uint64_t applied = 0;
    for (std::size_t i = 0;; ++i) {
        const bool listed = i < info.irregularPieces.size();
        const std::span<char> want = std::span(buffer).first(listed ? info.irregularPieces[i] : info.pieceBytes);
        const ReadResult got = readFully(delta, want);
        if (got.error != 0) throw systemFailure(code::kCopy, Phase::restore, "read", info.deltaFile, got.error);
        if (got.bytes == 0) break;
        application.apply(want.first(got.bytes));
        applied += got.bytes;
    }
    FileStatus status;
    if (const int error = readStatus(info.deltaFile, status); error != 0)
        throw systemFailure(code::kCopy, Phase::restore, "stat", info.deltaFile, error);
    if (applied != status.sizeBytes)
        throw Failure(code::kCorruptChangeInfo, Phase::restore, "not all of the file could be applied", info.deltaFile);
    application.finish();
}

}  // namespace domino_vss::domino
