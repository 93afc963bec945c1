// What the operating system says of files, directories, locks and volumes, also when it refuses.

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "scratch.h"
#include "system/directory_lock.h"
#include "system/failure.h"
#include "system/file.h"
#include "system/file_descriptor.h"
#include "system/file_system.h"
#include "system/path.h"
#include "system/sync.h"
#include "system/system_error.h"
#include "system/utf8.h"
#include "system/volume.h"

namespace {

using namespace domino_vss;
namespace fs = std::filesystem;

Failure failureOf(const std::function<void()>& work) {
    try {
        work();
    } catch (const Failure& failure) {
        return failure;
    }
    CHECK(!"it failed");
    std::abort();
}

void makeSocket(const std::string& path) {
    const FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    CHECK(path.size() < sizeof address.sun_path);
    std::strcpy(static_cast<char*>(address.sun_path), path.c_str());
    CHECK(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
}

/// Somebody may have put anything where a database was.
void opensOnlyRegularFiles() {
    const scratch::Directory root;
    CHECK(::mkfifo(root.at("pipe").c_str(), 0600) == 0);
    scratch::write(root.at("file"), "content");
    File file;
    CHECK(file.openForReading(root.at("missing")) == ENOENT);
    CHECK(file.openForReading(root.at("")) == EINVAL);
    CHECK(file.openForReading("/dev/null") == EINVAL);
    CHECK(file.openForReading(root.at("pipe")) == EINVAL);
    CHECK(!file.isOpen());
    CHECK(file.openForReading(root.at("file")) == 0);
    File moved(std::move(file));
    File target;
    target = std::move(moved);
    std::array<char, 100> buffer{};
    const ReadResult got = readFully(target, buffer);
    CHECK(got.error == 0 && std::string_view(buffer.data(), got.bytes) == "content");
    target.close();
    CHECK(readFully(target, buffer).error == EBADF);
    const scratch::Limit none(RLIMIT_NOFILE, 0);
    CHECK(target.openForReading(root.at("file")) == EMFILE);
}

void createsForUsAlone() {
    const scratch::Directory root;
    ::umask(0);
    File file;
    CHECK(file.create(root.at("new")) == 0);
    struct stat found {};
    CHECK(::stat(root.at("new").c_str(), &found) == 0);
    CHECK((found.st_mode & 0777U) == 0600);
    File second;
    CHECK(second.create(root.at("new")) == EEXIST);
    fs::create_symlink(root.at("elsewhere"), root.at("link"));
    CHECK(second.create(root.at("link")) == EEXIST);
    CHECK(!scratch::exists(root.at("elsewhere")));
    CHECK(file.write(std::string_view("x")) == 0 && file.skip(9) == 0 && file.endHere() == 0 && file.sync() == 0);
    CHECK(scratch::read(root.at("new")) == "x" + std::string(9, '\0'));
    {
        const scratch::Limit limit(RLIMIT_FSIZE, 12);
        CHECK(file.write(std::string_view("more than fits")) == EFBIG);
        CHECK(scratch::read(root.at("new")).size() == 12);
        CHECK(file.skip(1) == 0 && file.endHere() == EFBIG);
    }
    file.close();
    CHECK(file.skip(1) == EBADF && file.endHere() == EBADF && file.sync() == EBADF && !file.isSparse());
}

void tellsWhatAFileIs() {
    using Kind = FileStatus::Kind;
    const scratch::Directory root;
    CHECK(::mkfifo(root.at("pipe").c_str(), 0600) == 0);
    makeSocket(root.at("socket"));
    scratch::write(root.at("file"), "content");
    fs::create_hard_link(root.at("file"), root.at("same"));
    fs::create_symlink("nowhere", root.at("broken"));
    const std::vector<std::pair<std::string, Kind>> kinds{{root.at(""), Kind::directory},
                                                          {root.at("file"), Kind::regular},
                                                          {root.at("pipe"), Kind::pipe},
                                                          {root.at("socket"), Kind::socket},
                                                          {"/dev/null", Kind::device}};
    for (const auto& [path, kind] : kinds) {
        FileStatus status;
        CHECK(readStatus(path, status) == 0);
        CHECK(status.kind == kind);
    }
    FileStatus one;
    FileStatus other;
    CHECK(readStatus(root.at("file"), one) == 0 && readStatus(root.at("same"), other) == 0);
    CHECK(one.sizeBytes == 7 && !(one.identity < other.identity) && !(other.identity < one.identity));
    CHECK(readStatus(root.at("broken"), one) == ENOENT);
    CHECK(nameExists(root.at("broken")) && !nameExists(root.at("missing")));
}

void listsADirectory() {
    const scratch::Directory root;
    scratch::write(root.at("b"), "");
    scratch::write(root.at("a\n\xFF"), "");
    fs::create_symlink("nowhere", root.at("c"));
    std::vector<DirectoryItem> items{{"old", false}};
    CHECK(listDirectory(root.at(""), items) == 0);
    CHECK(items.size() == 3);
    CHECK(items[0].name == "a\n\xFF" && items[1].name == "b" && items[2].name == "c");
    CHECK(!items[0].isLink && !items[1].isLink && items[2].isLink);
    CHECK(listDirectory(root.at("missing"), items) == ENOENT && items.empty());
    CHECK(listDirectory(root.at("b"), items) == ENOTDIR);
}

void knowsWhatTheKernelMakesUp() {
    const scratch::Directory root;
    CHECK(isMadeUp("/proc/self"));
    CHECK(!isMadeUp(root.at("")) && !isMadeUp(root.at("missing")));
}

void resolvesLinks() {
    const scratch::Directory root;
    fs::create_directory(root.at("real"));
    fs::create_symlink("real", root.at("link"));
    fs::create_symlink("loop", root.at("loop"));
    std::string resolved;
    CHECK(resolvePath(root.at("link"), resolved) == 0 && resolved == root.at("real"));
    CHECK(resolvePath(root.at("loop"), resolved) == ELOOP);
    CHECK(resolvePath(root.at("missing"), resolved) == ENOENT);
}

void locksOnceByAnyPath() {
    const scratch::Directory root;
    fs::create_directory(root.at("data"));
    fs::create_symlink("data", root.at("link"));
    std::optional<DirectoryLock> lock = DirectoryLock::tryTake(root.at("data"));
    CHECK(lock);
    CHECK(!DirectoryLock::tryTake(root.at("data")) && !DirectoryLock::tryTake(root.at("link")));
    lock.reset();
    CHECK(DirectoryLock::tryTake(root.at("link")));
    const Failure failure = failureOf([&] { static_cast<void>(DirectoryLock::tryTake(root.at("missing"))); });
    CHECK(failure.operation == "open" && failure.statusName == "ENOENT" && failure.subject == root.at("missing"));
}

void findsTheVolume() {
    const scratch::Directory root;
    scratch::write(root.at("file"), "");
    const MountTable mounts;
    CHECK(mounts.volumeOf("/").mountPoint == "/");
    CHECK(mounts.volumeOf("/proc/self").mountPoint == "/proc" && mounts.volumeOf("/proc").fileSystem == "proc");
    const Volume volume = mounts.volumeOf(root.at("file"));
    CHECK(root.at("file").starts_with(volume.mountPoint) && volume.freeBytes > 0);
    const Failure failure = failureOf([&] { static_cast<void>(mounts.volumeOf(root.at("missing"))); });
    CHECK(failure.operation == "realpath" && failure.statusName == "ENOENT");
    const scratch::Limit none(RLIMIT_NOFILE, 0);
    CHECK(failureOf([] { const MountTable unreadable; }).statusName == "EMFILE");
}

void flushesOrSaysWhyNot() {
    const scratch::Directory root;
    syncDirectory(root.at(""), code::kCopy, Phase::drain);
    syncTree(root.at(""), Phase::drain);
    const Failure directory = failureOf([&] { syncDirectory(root.at("missing"), code::kCopy, Phase::drain); });
    CHECK(directory.code == std::string_view(code::kCopy) && directory.operation == "open");
    // The kernel flushes nothing that it makes up.
    CHECK(failureOf([] { syncDirectory("/proc/self", code::kCopy, Phase::drain); }).operation == "fsync");
    CHECK(failureOf([&] { syncVolume(root.at("missing"), Phase::prepare); }).statusName == "ENOENT");
}

void tellsTextFromBytes() {
    for (const std::string_view text :
         {"", "a", "\xC3\xBC", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"})
        CHECK(isUtf8(text));
    for (const std::string_view text : {"\x80", "\xC1\xBF", "\xC3", "\xC3(", "\xE0\x9F\xBF", "\xED\xA0\x80",
                                        "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xE2\x82"})
        CHECK(!isUtf8(text));
    CHECK(escapeBeyondAscii("a\xC3\xBC") == "a\\xc3\\xbc");
    CHECK(isAbsolute("/local") && !isAbsolute("local") && !isAbsolute(""));
}

template <typename Thrown>
Failure inFlight(const Thrown& thrown) {
    try {
        throw thrown;
    } catch (...) {
        return failureInFlight(Phase::stop);
    }
}

void makesAFailureOfAnything() {
    CHECK(inFlight(Failure(code::kLocked, Phase::open, "locked")).code == std::string_view(code::kLocked));
    CHECK(inFlight(std::bad_alloc()).text == "out of memory");
    CHECK(inFlight(std::runtime_error("broken")).text == "broken");
    const Failure unknown = inFlight(7);
    CHECK(unknown.code == std::string_view(code::kInternal) && unknown.phase == Phase::stop);
    CHECK(unknown.text == "unknown error");
}

/// Whoever reads a report has to know which of two databases is the one to look at.
void describesWhatHappened() {
    const auto text = [](const char* failureCode, const char* operation) {
        return describeStatus({failureCode, operation, Domain::engine, 0}, Phase::stop, "mail/ada.nsf").text;
    };
    CHECK(text(code::kDatabaseBudget, "NSFBackupStop") ==
          "NSFBackupStop did not return within the budget; the database was skipped");
    CHECK(text(code::kDatabaseBudget, "") == "took longer than its budget and was skipped");
    CHECK(text(code::kDatabaseStuck, "NSFBackupStop").starts_with("NSFBackupStop has not returned"));
    CHECK(text(code::kDatabaseStuck, "").ends_with("may still be in backup mode"));
    CHECK(text(code::kDeadline, "") == "the deadline passed");
    CHECK(text(code::kWindowTimeout, "") == "the freeze window exceeded its time limit");
    const Failure system = systemFailure(code::kCopy, Phase::drain, "write", "a copy", ENOSPC);
    CHECK(system.statusName == "ENOSPC" && system.text == "No space left on device" && system.subject == "a copy");
    CHECK(systemErrorName(EL2HLT).empty());
    CHECK(phaseName(Phase::stop) == std::string_view("stop") && phaseName(Phase::idle) == std::string_view("idle"));
    CHECK(phaseName(Phase::archive) == std::string_view("archive"));
}

}  // namespace

int main() {
    // A flush of tmpfs waits for no disk.
    ::setenv("TMPDIR", "/dev/shm", 1);
    return check::run({{"only a regular file is opened", opensOnlyRegularFiles},
                       {"a new file is ours alone, and goes through no link", createsForUsAlone},
                       {"each kind of file is told", tellsWhatAFileIs},
                       {"names are listed in order, with any byte", listsADirectory},
                       {"file systems of the kernel are known", knowsWhatTheKernelMakesUp},
                       {"links are resolved, and loops refused", resolvesLinks},
                       {"a directory is locked once, by any path", locksOnceByAnyPath},
                       {"a path has its volume", findsTheVolume},
                       {"a flush that fails names its call", flushesOrSaysWhyNot},
                       {"text is told from bytes", tellsTextFromBytes},
                       {"anything thrown becomes a failure", makesAFailureOfAnything},
                       {"a failure says what happened", describesWhatHappened}});
}
