#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "check.h"
#include "engine/database.h"
#include "engine/shadow_provider.h"
#include "system/current_call.h"

namespace fake {

using namespace domino_vss;
using namespace domino_vss::engine;

/// What happens to one call; found by operation and database path.
struct Fault {
    bool fail = false;
    bool hang = false;
    bool outOfMemory = false;
};

/// A Domino of nothing but rules: it notices a handle on a foreign thread, a second start, a database that stays in
/// backup mode, a handle that stays open.
class Server {
public:
    std::map<std::pair<std::string, std::string>, Fault> faults;  // set before the session starts
    std::map<std::string, std::vector<std::string>> changeInfo;   // pieces by database path
    std::vector<std::string> replaced;                            // get another DBIID at their stop
    std::vector<std::string> replacedEarly;                       // … when they are asked for it the second time
    std::vector<std::string> unlogged;                            // whose changes are not in the transaction log
    std::vector<std::string> unloggedLater;                       // … from their stop on
    std::vector<std::string> inAnotherLog;                        // from their stop on
    std::atomic<std::uint32_t> logExtent = 0;                     // that is being written

    std::atomic<bool> takenEarly = false;  // the commit says that the shadow is taken, and goes on ("finish")
    std::atomic<bool> outOfMemoryAtCommit = false;
    std::atomic<bool> outOfMemoryAtCompletion = false;
    std::atomic<int> open = 0;
    std::atomic<int> inBackup = 0;
    std::atomic<int> threads = 0;

    CallStatus call(const char* operation, const std::string& path) {
        {
            const std::lock_guard lock(mutex_);
            trace_.push_back(std::string(operation) + " " + path);
        }
        const auto fault = faults.find({operation, path});
        if (fault == faults.end()) return {};
        if (fault->second.hang) hang();
        if (fault->second.outOfMemory) throw std::bad_alloc();
        if (fault->second.fail) return {code::kDominoCall, operation, Domain::domino, 0x0EA4};
        return {};
    }

    void releaseHanging() {
        const std::lock_guard lock(mutex_);
        released_ = true;
        releasedSignal_.notify_all();
    }

    [[nodiscard]] std::vector<std::string> trace() {
        const std::lock_guard lock(mutex_);
        return trace_;
    }

    void note(const std::string& event) {
        const std::lock_guard lock(mutex_);
        trace_.push_back(event);
    }

    void waitUntilQuiet() {
        for (int i = 0; i < 500 && (open != 0 || inBackup != 0 || threads != 0); ++i)
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        CHECK(open == 0);
        CHECK(inBackup == 0);
        CHECK(threads == 0);
    }

private:
    void hang() {
        std::unique_lock lock(mutex_);
        releasedSignal_.wait(lock, [this] { return released_; });
    }

    std::mutex mutex_;
    std::condition_variable releasedSignal_;
    std::vector<std::string> trace_;
    bool released_ = false;
};

class FakeDatabase final : public Database {
public:
    FakeDatabase(Server& server, std::string path) : server_(server), path_(std::move(path)) { ++server_.open; }
    FakeDatabase(const FakeDatabase&) = delete;
    FakeDatabase& operator=(const FakeDatabase&) = delete;
    ~FakeDatabase() override {
        requireOwnThread();
        try {
            if (inBackup_) static_cast<void>(end(EndMode::abort));
        } catch (const std::bad_alloc&) {
            // It stays in backup mode.
        }
        --server_.open;
    }

    std::array<std::uint8_t, 8> replicaId() override { return {1}; }
    CallStatus logInfo(LogInfo& info) override {
        requireOwnThread();
        info = {};
        const auto isOneOf = [this](const std::vector<std::string>& paths) {
            return std::ranges::count(paths, path_) > 0;
        };
        info.logged = !isOneOf(server_.unlogged) && !(stopped_ && isOneOf(server_.unloggedLater));
        info.logId[0] = stopped_ && isOneOf(server_.inAnotherLog) ? 2 : 1;
        info.logExtent = server_.logExtent;
        info.dbiid[0] = stopped_ && isOneOf(server_.replaced) ? 2 : 1;
        if (asked_ && isOneOf(server_.replacedEarly)) info.dbiid[0] = 2;
        const char* const operation = stopped_ ? "logInfoAfter" : asked_ ? "logInfoAgain" : "logInfo";
        asked_ = true;
        return server_.call(operation, path_);
    }
    CallStatus start(std::uint64_t& sizeBytes) override {
        requireOwnThread();
        const CallStatus status = server_.call("start", path_);
        if (!status.ok()) return status;
        CHECK(!inBackup_);
        inBackup_ = true;
        ++server_.inBackup;
        server_.note("started " + path_);
        sizeBytes = 4096;
        return {};
    }
    CallStatus setHighWaterMark(std::uint64_t copiedBytes) override {
        requireOwnThread();
        CHECK(inBackup_ && !stopped_ && copiedBytes <= 4096);
        return server_.call("mark", path_);
    }
    CallStatus stop() override {
        requireOwnThread();
        CHECK(inBackup_ && !stopped_);
        const CallStatus status = server_.call("stop", path_);
        stopped_ = status.ok();
        return status;
    }
    CallStatus changeInfoSize(std::uint64_t& sizeBytes) override {
        CHECK(stopped_);
        sizeBytes = 0;
        for (const std::string& piece : pieces()) sizeBytes += piece.size();
        return server_.call("changeInfoSize", path_);
    }
    CallStatus nextChangeInfo(std::span<char> buffer, std::uint32_t& filled) override {
        filled = 0;
        if (nextPiece_ < pieces().size()) {
            const std::string& piece = pieces()[nextPiece_++];
            CHECK(piece.size() <= buffer.size());
            std::memcpy(buffer.data(), piece.data(), piece.size());
            filled = static_cast<std::uint32_t>(piece.size());
        }
        return server_.call("nextChangeInfo", path_);
    }
    CallStatus end(EndMode mode) override {
        requireOwnThread();
        CHECK(inBackup_);
        if (mode == EndMode::complete)
            if (const CallStatus status = server_.call("end", path_); !status.ok()) return status;
        if (mode == EndMode::abort)
            if (const CallStatus status = server_.call("abort", path_); !status.ok()) return status;
        inBackup_ = false;
        --server_.inBackup;
        return {};
    }

private:
    [[nodiscard]] const std::vector<std::string>& pieces() const {
        static const std::vector<std::string> kNone;
        const auto found = server_.changeInfo.find(path_);
        return found == server_.changeInfo.end() ? kNone : found->second;
    }
    void requireOwnThread() const { CHECK(std::this_thread::get_id() == owner_); }

    Server& server_;
    std::string path_;
    std::thread::id owner_ = std::this_thread::get_id();
    bool asked_ = false;
    bool inBackup_ = false;
    bool stopped_ = false;
    std::size_t nextPiece_ = 0;
};

class CountedThread : public ThreadScope {
public:
    explicit CountedThread(Server& server) : server_(server) { ++server_.threads; }
    CountedThread(const CountedThread&) = delete;
    CountedThread& operator=(const CountedThread&) = delete;
    ~CountedThread() override { --server_.threads; }

protected:
    Server& server_;
};

class FakeThread final : public CountedThread {
public:
    explicit FakeThread(Server& server) : CountedThread(server) { isInside() = true; }
    FakeThread(const FakeThread&) = delete;
    FakeThread& operator=(const FakeThread&) = delete;
    ~FakeThread() override {
        static_cast<void>(server_.call("leaveThread", ""));
        isInside() = false;
    }

    /// Whether the present thread may call the runtime.
    static bool& isInside() {
        thread_local bool inside = false;
        return inside;
    }
};

class FakeSource final : public DatabaseSource {
public:
    explicit FakeSource(Server& server) : server_(server) {}

    CallStatus enterThread(std::unique_ptr<ThreadScope>& scope) override {
        const CountedThread entering(server_);  // also one that hangs here uses the server later
        CallStatus status = server_.call("enterThread", "");
        if (status.ok()) status = server_.call("enterThread", "#" + std::to_string(++entries_));
        if (status.ok()) scope = std::make_unique<FakeThread>(server_);
        return status;
    }
    CallStatus open(const DatabaseSpec& spec, std::unique_ptr<Database>& database) override {
        const CallStatus status = server_.call("open", spec.path);
        if (status.ok()) database = std::make_unique<FakeDatabase>(server_, spec.path);
        return status;
    }
    ServerTime serverTime() override {
        CHECK(FakeThread::isInside());
        return {{1, 2}, 3.0};
    }
    Failure describe(const CallStatus& status, Phase phase, std::string subject) override {
        CHECK(FakeThread::isInside());
        Failure failure = describeStatus(status, phase, std::move(subject));
        if (status.domain == Domain::domino) failure.text = "as Domino says it";
        return failure;
    }

    const char* nameOf(Operation operation) const noexcept override {
        constexpr std::array kNames{"enterThread",    "open", "replicaId", "logInfo",   "modifiedTimes",
                                    "start",          "copy", "mark",      "stop",      "changeInfoSize",
                                    "nextChangeInfo", "end",  "close",     "serverTime"};
        return kNames[static_cast<std::size_t>(operation)];
    }

private:
    Server& server_;
    std::atomic<int> entries_ = 0;
};

class FakeProvider final : public ShadowProvider {
public:
    FakeProvider(Server& server, CaptureScope scope) : server_(server), scope_(scope) {}

    CaptureScope scope() const noexcept override { return scope_; }
    void begin(const Limits& /*limits*/) override { fail("begin"); }
    void prepare(std::span<const DatabaseSpec> /*databases*/, const Limits& /*limits*/) override { fail("prepare"); }
    std::unique_ptr<ThreadScope> enterThread() override {
        auto entered = std::make_unique<CountedThread>(server_);
        // Like a call that does not say what it is doing.
        if (!server_.call("enterProvider", "").ok()) throw Failure(code::kShadow, Phase::shadow, "enterProvider");
        return entered;
    }
    void commit(const Limits& /*limits*/) override {
        if (server_.outOfMemoryAtCommit) throw std::bad_alloc();
        fail("commit");
    }
    void commitWithin(const std::shared_ptr<CaptureWindow>& window) override {
        commit(window->untilTaken());
        if (!server_.takenEarly) return;
        window->taken();
        fail("finish");
    }
    CallStatus captureFile(const DatabaseSpec& spec, HighWaterMarks& marks, std::uint64_t sizeBytes,
                           const Limits& /*limits*/) override {
        CHECK(sizeBytes == 4096);
        if (const CallStatus status = server_.call("capture", spec.path); !status.ok()) return status;
        // Only a rolling copy has them.
        return scope_ == CaptureScope::rolling ? marks.setHighWaterMark(2048) : CallStatus{};
    }
    void afterWindow(const Limits& /*limits*/) override { fail("afterWindow"); }
    void makeDurable() override { fail("makeDurable"); }
    void complete(const std::vector<std::string>& /*deletedShadows*/, const Limits& /*limits*/) override {
        if (server_.outOfMemoryAtCompletion) throw std::bad_alloc();
        fail("complete");
    }
    void leaveUntold() noexcept override { server_.note("leaveUntold "); }
    void keep() override { fail("keep"); }
    void remove() override { fail("remove"); }

private:
    void fail(const char* operation) {
        CurrentCall::note(operation);
        if (!server_.call(operation, "").ok()) throw Failure(code::kShadow, Phase::shadow, operation);
    }

    Server& server_;
    CaptureScope scope_;
};

}  // namespace fake
