// The files that a session writes, and those that it reads when no Domino runs.

#include <dlfcn.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <new>
#include <string>

#include "engine/delta_file.h"
#include "engine/offline_source.h"
#include "scratch.h"

namespace {

bool memoryIsFull = false;
bool diskFails = false;

}  // namespace

void* operator new(std::size_t bytes) {
    void* const memory = memoryIsFull ? nullptr : std::malloc(bytes);
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t /*bytes*/) noexcept {
    std::free(memory);
}

extern "C" int fsync(int file) {
    errno = EIO;
    return diskFails ? -1 : reinterpret_cast<int (*)(int)>(::dlsym(RTLD_NEXT, "fsync"))(file);
}

namespace {

using namespace domino_vss;
using namespace domino_vss::engine;

constexpr std::size_t kBufferBytes = 1U << 20U;

void keepsWhatIsComplete() {
    const scratch::Directory directory;
    const std::string path = directory.at("0.delta");
    const std::string first(kBufferBytes - 1, 'a');
    const std::string second(kBufferBytes + 2, 'b');
    {
        DeltaFile file(path);
        CHECK(file.open().ok() && file.append(first).ok() && scratch::read(path).empty());
        CHECK(file.append(second).ok() && scratch::read(path).size() == 2 * kBufferBytes);
        CHECK(file.append(std::string()).ok() && file.finish().ok());
        file.keep();
    }
    CHECK(scratch::read(path) == first + second);
}

void leavesNothingElse() {
    const scratch::Directory directory;
    const std::string path = directory.at("0.delta");
    {
        DeltaFile file(path);
        CHECK(file.open().ok() && file.append(std::string("abc")).ok() && file.finish().ok() && scratch::exists(path));
    }
    CHECK(!scratch::exists(path));
    scratch::write(path, "of another");
    {
        DeltaFile file(path);
        const CallStatus status = file.open();
        CHECK(status.code == std::string(code::kDeltaWrite) && status.operation == std::string("open"));
        CHECK(status.status == EEXIST && status.domain == Domain::system);
        file.keep();
    }
    CHECK(scratch::read(path) == "of another");
}

void saysWhatFailed() {
    const scratch::Directory directory;
    const auto isFailure = [](const CallStatus& status, const std::string& operation, std::uint32_t number) {
        return !status.ok() && status.code == std::string(code::kDeltaWrite) && status.operation == operation &&
               status.status == number;
    };
    DeltaFile full(directory.at("memory"));
    memoryIsFull = true;
    const CallStatus noMemory = full.open();
    memoryIsFull = false;
    CHECK(isFailure(noMemory, "open", ENOMEM));

    const std::string block(kBufferBytes, 'a');
    {
        DeltaFile file(directory.at("append"));
        CHECK(file.open().ok());
        const scratch::Limit limit(RLIMIT_FSIZE, 4);
        CHECK(isFailure(file.append(block), "write", EFBIG));
    }
    {
        DeltaFile file(directory.at("finish"));
        CHECK(file.open().ok() && file.append(std::string("abcdefgh")).ok());
        const scratch::Limit limit(RLIMIT_FSIZE, 4);
        CHECK(isFailure(file.finish(), "write", EFBIG));
    }
    {
        DeltaFile file(directory.at("sync"));
        CHECK(file.open().ok() && file.append(std::string("abc")).ok());
        diskFails = true;
        const CallStatus status = file.finish();
        diskFails = false;
        CHECK(isFailure(status, "fsync", EIO));
    }
    CHECK(!scratch::exists(directory.at("append")) && !scratch::exists(directory.at("sync")));
}

void readsFilesWithoutDomino() {
    const scratch::Directory directory;
    scratch::write(directory.at("a.nsf"), "12345");
    OfflineSource source;
    std::unique_ptr<ThreadScope> scope;
    CHECK(source.enterThread(scope).ok() && !scope);
    std::unique_ptr<Database> database;
    CHECK(source.open({.path = "a.nsf", .file = directory.at("a.nsf"), .target = {}}, database).ok());
    LogInfo log{.logged = true, .logId = {1}, .dbiid = {1}, .logExtent = 1};
    CHECK(database->logInfo(log).ok() && !log.logged && log.logId[0] == 0 && log.dbiid[0] == 0 && log.logExtent == 0);
    CHECK(database->replicaId() == decltype(database->replicaId()){} && database->modifiedTimes() == ModifiedTimes{});
    std::uint64_t size = 0;
    CHECK(database->start(size).ok() && size == 5 && database->setHighWaterMark(5).ok() && database->stop().ok());
    std::uint32_t filled = 9;
    std::array<char, 4> buffer{};
    CHECK(database->changeInfoSize(size).ok() && size == 0);
    CHECK(database->nextChangeInfo(buffer, filled).ok() && filled == 0 && database->end(EndMode::complete).ok());
    CHECK(source.nameOf(Operation::stop) == std::string());
    CHECK(source.serverTime().epochMs > 1.7e12 && source.serverTime().innards[0] == 0);

    std::filesystem::remove(directory.at("a.nsf"));
    const CallStatus missing = database->start(size);
    CHECK(missing.code == std::string(code::kCopy) && missing.operation == std::string("stat"));
    CHECK(source.describe(missing, Phase::start, "a.nsf").statusName == "ENOENT");
    CHECK(source.describe(missing, Phase::start, "a.nsf").subject == "a.nsf");
}

}  // namespace

int main() {
    return check::run({
        {"a delta file that is complete is kept", keepsWhatIsComplete},
        {"no other delta file is left, and none of another is taken", leavesNothingElse},
        {"what failed is said", saysWhatFailed},
        {"without Domino, databases are files", readsFilesWithoutDomino},
    });
}
