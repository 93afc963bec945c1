// Providers on a file system that can neither clone nor snapshot, and with disks, hooks and databases that fail.
// What succeeds on btrfs and XFS is left to the integration tests.

#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "scratch.h"
#include "shadow/btrfs_provider.h"
#include "shadow/hook_provider.h"
#include "shadow/platform_provider.h"
#include "shadow/reflink_provider.h"
#include "shadow/rolling_provider.h"
#include "shadow/target_directories.h"
#include "system/file.h"
#include "system/file_descriptor.h"

namespace {

using namespace domino_vss;
using namespace domino_vss::shadow;
using namespace std::chrono_literals;

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20U;

engine::Limits passed() {
    return {{}, engine::Clock::now() - 1ms, code::kWindowTimeout};
}

Failure failureOf(const std::function<void()>& work) {
    try {
        work();
    } catch (const Failure& failure) {
        return failure;
    }
    CHECK(!"it failed");
    std::abort();
}

bool is(const CallStatus& status, std::string_view code, std::string_view operation, int error) {
    return status.code == code && status.operation == operation && status.status == static_cast<std::uint32_t>(error);
}

/// Keeps the marks, and fails at the one that the test names.
class Marks final : public engine::HighWaterMarks {
public:
    CallStatus setHighWaterMark(std::uint64_t copiedBytes) override {
        all.push_back(copiedBytes);
        return all.size() == failsAt ? CallStatus{code::kDominoCall, "NSFBackupSetHighWaterMark", Domain::domino, 1}
                                     : CallStatus{};
    }
    std::vector<std::uint64_t> all;
    std::size_t failsAt = 0;
};

/// A data directory and a place for its shadow.
struct Place {
    scratch::Directory root;
    std::vector<SessionVolume> volumes;

    Place() {
        std::filesystem::create_directory(root.at("data"));
        volumes = {{root.at("data"), root.at("shadow/first")}};
    }

    [[nodiscard]] engine::DatabaseSpec database(const std::string& name) const {
        return {name, root.at("data/" + name), root.at("shadow/first/mail/" + name), 0, 0};
    }
};

// ---- hook

Failure hookFailure(const std::function<void(HookProvider&, double)>& answer, const engine::Limits& limits) {
    const Place place;
    HookProvider* known = nullptr;
    HookProvider provider(place.volumes, [&](double deadlineMs) { answer(*known, deadlineMs); });
    known = &provider;
    return failureOf([&] { provider.commit(limits); });
}

void hookAnswers() {
    const Place place;
    HookProvider* known = nullptr;
    double left = 0;
    HookProvider provider(place.volumes, [&](double deadlineMs) {
        left = deadlineMs;
        known->settle(std::nullopt);
    });
    known = &provider;
    provider.prepare({}, {});
    provider.commit(engine::Limits{{}, engine::Clock::now() + 60s, code::kWindowTimeout});
    CHECK(left > 0 && left <= 60'000);
    provider.remove();
}

void hookFails() {
    const auto says = [](HookProvider& hook, double /*deadlineMs*/) { hook.settle("the array is full"); };
    const Failure failure = hookFailure(says, {});
    CHECK(failure.code == std::string_view(code::kHook));
    CHECK(failure.text == "the array is full");
}

void hookIsSilent() {
    const auto silent = [](HookProvider& /*hook*/, double /*deadlineMs*/) {};
    const Failure failure = hookFailure(silent, {{}, engine::Clock::now() + 300ms, code::kWindowTimeout});
    // A flush that took all the time is told with the code of the window.
    CHECK(failure.code == std::string_view(code::kHookTimeout) ||
          failure.code == std::string_view(code::kWindowTimeout));
}

void hookIsAborted() {
    std::stop_source stop;
    const auto aborts = [&stop](HookProvider& /*hook*/, double /*deadlineMs*/) { stop.request_stop(); };
    const Failure failure = hookFailure(aborts, {stop.get_token()});
    CHECK(failure.code == std::string_view(code::kAborted));
    CHECK(failure.phase == Phase::shadow);
}

// ---- rolling

struct Rolling {
    Place place;
    engine::DatabaseSpec spec = place.database("ada.nsf");
    RollingProvider provider{place.volumes};
    Marks marks;

    Rolling() { provider.prepare(std::span(&spec, 1), {}); }
    CallStatus capture(std::uint64_t sizeBytes, const engine::Limits& limits = {}) {
        return provider.captureFile(spec, marks, sizeBytes, limits);
    }
};

void copiesNoOtherFile() {
    Rolling rolling;
    CHECK(rolling.capture(1).code == std::string_view(code::kDatabaseVanished));
    scratch::write(rolling.spec.file, "found by the backup");
    File found;
    CHECK(found.openForReading(rolling.spec.file) == 0);
    rolling.spec.fileNumber = found.number();
    CHECK(rolling.spec.fileNumber != 0);
    scratch::write(rolling.place.root.at("other"), "put into its place");
    std::filesystem::rename(rolling.place.root.at("other"), rolling.spec.file);
    CHECK(rolling.capture(1).code == std::string_view(code::kDatabaseReplaced));
    CHECK(!scratch::exists(rolling.spec.target));
    File now;
    CHECK(now.openForReading(rolling.spec.file) == 0);
    rolling.spec.fileNumber = now.number();
    CHECK(rolling.capture(1).ok());
}

void copiesTheSizeAtTheStart() {
    Rolling rolling;
    std::string content;
    for (int i = 0; content.size() < 2 * kMiB; ++i) content += std::to_string(i);
    scratch::write(rolling.spec.file, content + "grown since");
    CHECK(rolling.capture(content.size()).ok());
    CHECK(scratch::read(rolling.spec.target) == content);
    CHECK(rolling.marks.all.size() == 4);
    std::uint64_t before = 0;
    for (const std::uint64_t mark : rolling.marks.all) {
        CHECK(mark > before && mark <= content.size());
        before = mark;
    }
    rolling.provider.makeDurable();
    rolling.provider.remove();
    CHECK(!scratch::exists(rolling.place.root.at("shadow/first")));
    rolling.provider.remove();
}

/// A hole between data, and a hole at the end, which no write makes.
void sparseStaysSparse() {
    Rolling rolling;
    scratch::write(rolling.spec.file, "head");
    std::filesystem::resize_file(rolling.spec.file, 2 * kMiB);
    CHECK(rolling.capture(2 * kMiB).ok());
    CHECK(scratch::read(rolling.spec.target) == scratch::read(rolling.spec.file));
    struct stat found {};
    CHECK(::stat(rolling.spec.target.c_str(), &found) == 0);
    CHECK(static_cast<std::uint64_t>(found.st_blocks) * 512 < kMiB);
}

void namesWhatCannotBeCopied() {
    Rolling rolling;
    CHECK(::mkfifo(rolling.spec.file.c_str(), 0600) == 0);
    CHECK(is(rolling.capture(1), code::kCopy, "open", EINVAL));
    std::filesystem::remove(rolling.spec.file);
    scratch::write(rolling.spec.file, "short");
    CHECK(rolling.capture(6).code == std::string_view(code::kDatabaseReplaced));
    // The copy of the first try is in the way: nobody knows whose it is.
    CHECK(is(rolling.capture(5), code::kCopy, "open", EEXIST));
    std::filesystem::remove(rolling.spec.target);
    rolling.spec.file = scratch::kUnreadable;
    CHECK(is(rolling.capture(5), code::kCopy, "read", EIO));
}

void theDiskIsFull() {
    Rolling rolling;
    scratch::write(rolling.spec.file, std::string(kMiB, 'x'));
    {
        const scratch::Limit limit(RLIMIT_FSIZE, kMiB / 2);
        CHECK(is(rolling.capture(kMiB), code::kCopy, "write", EFBIG));
    }
    CHECK(rolling.marks.all == std::vector<std::uint64_t>{kMiB / 2});
    std::filesystem::remove(rolling.spec.target);
    scratch::write(rolling.spec.file, "head");
    std::filesystem::resize_file(rolling.spec.file, 8 * kMiB);
    const scratch::Limit limit(RLIMIT_FSIZE, kMiB);
    CHECK(is(rolling.capture(8 * kMiB), code::kCopy, "truncate", EFBIG));
}

void givesUpCopying() {
    Rolling rolling;
    scratch::write(rolling.spec.file, std::string(2 * kMiB, 'x'));
    CHECK(rolling.capture(2 * kMiB, passed()).code == std::string_view(code::kWindowTimeout));
    std::filesystem::remove(rolling.spec.target);
    rolling.marks.failsAt = 2;
    CHECK(is(rolling.capture(2 * kMiB), code::kDominoCall, "NSFBackupSetHighWaterMark", 1));
    CHECK(rolling.marks.all.size() == 2);
}

// ---- directories of the shadow

void leavesWhatWasThereBefore() {
    const Place place;
    scratch::write(place.root.at("a file"), "");
    std::filesystem::create_directories(place.root.at("shadow/theirs"));
    const std::vector<SessionVolume> volumes{{place.root.at("data"), place.root.at("shadow/ours")},
                                             {place.root.at("data"), place.root.at("shadow/theirs")}};
    TargetDirectories targets;
    const Failure exists = failureOf([&] { targets.create(volumes, {}); });
    CHECK(exists.code == std::string_view(code::kShadowDirectory));
    CHECK(exists.statusName == "EEXIST");
    CHECK(exists.subject == volumes[1].target);
    targets.remove();
    CHECK(!scratch::exists(volumes[0].target));
    CHECK(scratch::exists(volumes[1].target));
    const std::vector<SessionVolume> below{{place.root.at("data"), place.root.at("a file/shadow/first")}};
    CHECK(failureOf([&] { targets.create(below, {}); }).statusName == "ENOTDIR");
}

void removesTheOthersToo() {
    std::vector<std::string> paths{"one", "held", "two", "held too"};
    const auto remove = [](const std::string& path) {
        if (path.starts_with("held")) throw systemFailure(code::kShadow, Phase::end, "unlinkat", path, EBUSY);
    };
    CHECK(failureOf([&] { removeEach(paths, remove); }).subject == "held");
    CHECK((paths == std::vector<std::string>{"held", "held too"}));
}

// ---- clones

void refusesToCopyInsteadOfCloning() {
    const Place place;
    std::vector<engine::DatabaseSpec> databases{place.database("ada.nsf"), place.database("bob.nsf")};
    for (const engine::DatabaseSpec& spec : databases) scratch::write(spec.file, "database");
    const std::unique_ptr<engine::ShadowProvider> provider = makePlatformProvider("reflink", place.volumes);
    CHECK(provider->scope() == engine::CaptureScope::file);
    provider->prepare(databases, {});
    Marks marks;
    CHECK(provider->captureFile(databases[0], marks, 8, {}).code == std::string_view(code::kCloneRefused));
    // One is filled, as if it were a clone; the other one must not be taken for a database.
    scratch::write(databases[1].target, "clone");
    provider->afterWindow({});
    CHECK(!scratch::exists(databases[0].target));
    CHECK(scratch::exists(databases[1].target));
    const Failure gone = failureOf([&] { provider->afterWindow({}); });
    CHECK(gone.operation == "unlink" && gone.statusName == "ENOENT" && gone.subject == databases[0].target);
    provider->makeDurable();
    provider->remove();
    CHECK(!scratch::exists(place.volumes[0].target));
}

void preparesNoClone() {
    const Place place;
    const std::vector<engine::DatabaseSpec> twice{place.database("ada.nsf"), place.database("ada.nsf")};
    ReflinkProvider provider(place.volumes);
    CHECK(failureOf([&] { provider.prepare(twice, {}); }).statusName == "EEXIST");
    provider.remove();
    CHECK(failureOf([&] { provider.prepare(twice, passed()); }).code == std::string_view(code::kWindowTimeout));
    provider.remove();
    CHECK(!scratch::exists(place.volumes[0].target));
}

void clonesThroughNoLink() {
    const Place place;
    scratch::write(place.root.at("source"), "source");
    scratch::write(place.root.at("theirs"), "theirs");
    std::filesystem::create_symlink(place.root.at("theirs"), place.root.at("link"));
    engine::DatabaseSpec spec;
    spec.file = place.root.at("source");
    spec.target = place.root.at("link");
    CHECK(is(cloneFile(spec, 6), code::kShadow, "open", ELOOP));
    CHECK(scratch::read(place.root.at("theirs")) == "theirs");
}

/// A name that leads to another file than the one that Domino has opened.
void clonesNoOtherFile() {
    const Place place;
    scratch::write(place.root.at("source"), "source");
    engine::DatabaseSpec spec;
    spec.file = place.root.at("missing");
    CHECK(cloneFile(spec, 1).code == std::string_view(code::kDatabaseVanished));
    spec.file = place.root.at("source");
    spec.fileNumber = 1;  // never that of a file
    CHECK(cloneFile(spec, 6).code == std::string_view(code::kDatabaseReplaced));
}

void probesWithoutATrace() {
    const Place place;
    const FileDescriptor watch(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    CHECK(::inotify_add_watch(watch.get(), place.root.at("data").c_str(), IN_CREATE) >= 0);
    const FileDescriptor unnamed(::open(place.root.at("data").c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
    CHECK(!probeReflink(place.root.at("data")));
    std::array<char, 1024> events{};
    // Without a name, a death in between leaves nothing.
    if (unnamed.valid()) CHECK(::read(watch.get(), events.data(), events.size()) == -1 && errno == EAGAIN);
    CHECK(std::filesystem::is_empty(place.root.at("data")));
    const Failure failure = failureOf([&] { static_cast<void>(probeReflink(place.root.at("missing"))); });
    CHECK(failure.code == std::string_view(code::kShadowDirectory) && failure.statusName == "ENOENT");
    const scratch::Limit limit(RLIMIT_FSIZE, 0);
    CHECK(failureOf([&] { static_cast<void>(probeReflink(place.root.at("data"))); }).operation == "write");
    CHECK(std::filesystem::is_empty(place.root.at("data")));
}

// ---- snapshots

void takesNoSnapshotElsewhere() {
    const Place place;
    const std::unique_ptr<engine::ShadowProvider> provider = makePlatformProvider("btrfs", place.volumes);
    CHECK(provider->scope() == engine::CaptureScope::set);
    CHECK(failureOf([&] { provider->prepare({}, {}); }).code == std::string_view(code::kUnsupported));
    CHECK(failureOf([&] { provider->commit(passed()); }).code == std::string_view(code::kWindowTimeout));
    CHECK(failureOf([&] { provider->commit({}); }).operation == "open");  // nothing was prepared
    std::filesystem::create_directory(place.root.at("shadow"));
    CHECK(failureOf([&] { provider->commit({}); }).operation == "ioctl(BTRFS_IOC_SNAP_CREATE_V2)");
    BtrfsProvider tooLong({{place.root.at("data"), place.root.at("shadow/" + std::string(5000, 'x'))}});
    CHECK(failureOf([&] { tooLong.commit({}); }).statusName == "ENAMETOOLONG");
    provider->remove();
    CHECK(scratch::exists(place.root.at("data")));
    CHECK(failureOf([&] { static_cast<void>(makePlatformProvider("vss", place.volumes)); }).subject == "vss");
}

/// A journal may name anything.
void deletesNoDirectory() {
    const Place place;
    scratch::write(place.root.at("data/names.nsf"), "");
    const Failure failure = failureOf([&] { deleteBtrfsSubvolume(place.root.at("data")); });
    CHECK(failure.code == std::string_view(code::kShadow) && failure.subject == place.root.at("data"));
    CHECK(failureOf([&] { setBtrfsSubvolumeReadOnly(place.root.at("data"), false); }).text == "not a subvolume");
    CHECK(scratch::exists(place.root.at("data/names.nsf")));
    deleteBtrfsSubvolume(place.root.at("gone"));
    deleteBtrfsSubvolume(place.root.at("data/names.nsf/below"));
    CHECK(failureOf([&] { deleteBtrfsSubvolume(std::string(5000, 'x')); }).statusName == "ENAMETOOLONG");
}

}  // namespace

int main() {
    // tmpfs: it has holes but no clones, and a flush of it waits for no disk.
    ::setenv("TMPDIR", "/dev/shm", 1);
    return check::run({{"a hook answers in time", hookAnswers},
                       {"a hook that fails is quoted", hookFails},
                       {"a hook that does not answer is not waited for", hookIsSilent},
                       {"an abort ends the wait for the hook", hookIsAborted},
                       {"no copy is made of another file than the one that was found", copiesNoOtherFile},
                       {"a copy has the size that the database had at its start", copiesTheSizeAtTheStart},
                       {"the copy of a sparse file is sparse", sparseStaysSparse},
                       {"a database that cannot be copied names the call", namesWhatCannotBeCopied},
                       {"a full disk ends the copy", theDiskIsFull},
                       {"a time limit and a refused mark end the copy", givesUpCopying},
                       {"a directory that was there before is neither used nor removed", leavesWhatWasThereBefore},
                       {"one directory that cannot be removed keeps no other", removesTheOthersToo},
                       {"a refused clone is no copy, and leaves no empty file", refusesToCopyInsteadOfCloning},
                       {"clones that cannot be prepared leave nothing", preparesNoClone},
                       {"no clone is made of another file than the one that was found", clonesNoOtherFile},
                       {"no clone is written through a link", clonesThroughNoLink},
                       {"the probe for clones leaves nothing", probesWithoutATrace},
                       {"no snapshot of what is no subvolume", takesNoSnapshotElsewhere},
                       {"a directory is not deleted as a subvolume", deletesNoDirectory}});
}
