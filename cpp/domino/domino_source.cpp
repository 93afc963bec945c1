#include "domino/domino_source.h"

#include <chrono>
#include <cstring>
#include <new>
#include <utility>

#include "domino/lmbcs.h"
#include "domino/runtime.h"
#include "domino/status.h"

namespace domino_vss::domino {

namespace {

constexpr std::uint64_t join(DWORD low, DWORD high) noexcept {
    return (std::uint64_t{high} << 32U) | low;
}
constexpr DWORD lowPart(std::uint64_t value) noexcept {
    return static_cast<DWORD>(value & 0xFFFFFFFFU);
}
constexpr DWORD highPart(std::uint64_t value) noexcept {
    return static_cast<DWORD>(value >> 32U);
}

}  // namespace

CallStatus DominoSource::enterThread(std::unique_ptr<engine::ThreadScope>& scope) noexcept {
    return RuntimeThread::enter(api_, scope);
}

CallStatus DominoSource::open(const engine::DatabaseSpec& spec, std::unique_ptr<engine::Database>& database) {
    std::string path;
    try {
        path = toLmbcs(api_, spec.path);
    } catch (const Failure&) {
        return {code::kUnsupported, "OSTranslate", Domain::engine, 0};
    }
    // Eight zeroed bytes, in case a future release has wider handles.
    std::array<DBHANDLE, 2> handle{};
    const CallStatus status = callStatus(api_.NSFDbOpen(path.c_str(), handle.data()), "NSFDbOpen");
    if (!status.ok()) return status;
    database.reset(new (std::nothrow) DominoDatabase(api_, handle[0]));
    if (database) return {};
    static_cast<void>(api_.NSFDbClose(handle[0]));
    throw std::bad_alloc();
}

engine::ServerTime DominoSource::serverTime() noexcept {
    TIMEDATE now{};
    api_.OSCurrentTIMEDATE(&now);
    const std::chrono::duration<double, std::milli> epoch = std::chrono::system_clock::now().time_since_epoch();
    return {{now.Innards[0], now.Innards[1]}, epoch.count()};
}

Failure DominoSource::describe(const CallStatus& status, Phase phase, std::string subject) {
    return domino::describe(api_, status, phase, std::move(subject));
}

const char* DominoSource::nameOf(engine::Operation operation) const noexcept {
    using engine::Operation;
    switch (operation) {
        case Operation::enterThread: return "NotesInitThread";
        case Operation::open: return "NSFDbOpen";
        case Operation::replicaId: return "NSFDbReplicaInfoGet";
        case Operation::logInfo: return "NSFDbGetLogInfo";
        case Operation::modifiedTimes: return "NSFDbModifiedTime";
        case Operation::start: return "NSFBackupStart";
        case Operation::copy: break;  // none of Domino's
        case Operation::setHighWaterMark: return "NSFBackupSetHighWaterMark";
        case Operation::stop: return "NSFBackupStop";
        case Operation::changeInfoSize: return "NSFBackupGetChangeInfoSize";
        case Operation::nextChangeInfo: return "NSFBackupGetNextChangeInfo";
        case Operation::end: return "NSFBackupEnd";
        case Operation::close: return "NSFDbClose";
        case Operation::serverTime: return "OSCurrentTIMEDATE";
    }
    return "";
}

DominoDatabase::~DominoDatabase() {
    if (inBackup_) static_cast<void>(end(engine::EndMode::abort));
    static_cast<void>(api_.NSFDbClose(handle_));
}

std::array<std::uint8_t, 8> DominoDatabase::replicaId() noexcept {
    DBREPLICAINFO info{};
    std::array<std::uint8_t, 8> id{};
    if (errorCode(api_.NSFDbReplicaInfoGet(handle_, &info)) == 0) std::memcpy(id.data(), &info.ID, id.size());
    return id;
}

CallStatus DominoDatabase::logInfo(engine::LogInfo& info) noexcept {
    BOOL logged = 0;
    UNID logId{};
    UNID dbiid{};
    DWORD extent = 0;
    const STATUS status = api_.NSFDbGetLogInfo(handle_, 0, &logged, &logId, &dbiid, &extent);
    info = {};
    // The other outputs are undefined if the database is not logged.
    if (errorCode(status) == 0 && logged != 0) {
        info.logged = true;
        std::memcpy(info.logId.data(), &logId, sizeof logId);
        std::memcpy(info.dbiid.data(), &dbiid, sizeof dbiid);
        info.logExtent = extent;
    }
    return callStatus(status, "NSFDbGetLogInfo");
}

engine::ModifiedTimes DominoDatabase::modifiedTimes() noexcept {
    TIMEDATE data{};
    TIMEDATE nonData{};
    engine::ModifiedTimes times{};
    if (api_.NSFDbModifiedTime == nullptr || errorCode(api_.NSFDbModifiedTime(handle_, &data, &nonData)) != 0)
        return times;
    std::memcpy(times.data(), &data, sizeof data);
    std::memcpy(times.data() + sizeof data, &nonData, sizeof nonData);
    return times;
}

CallStatus DominoDatabase::start(std::uint64_t& sizeBytes) noexcept {
    std::array<DHANDLE, 2> context{};
    DWORD low = 0;
    DWORD high = 0;
    const STATUS status = api_.NSFBackupStart(handle_, 0, context.data(), &low, &high);
    inBackup_ = errorCode(status) == 0;
    context_ = context[0];
    sizeBytes = join(low, high);
    return callStatus(status, "NSFBackupStart");
}

CallStatus DominoDatabase::setHighWaterMark(std::uint64_t copiedBytes) noexcept {
    return callStatus(api_.NSFBackupSetHighWaterMark(handle_, context_, lowPart(copiedBytes), highPart(copiedBytes)),
                      "NSFBackupSetHighWaterMark");
}

CallStatus DominoDatabase::stop() noexcept {
    return callStatus(api_.NSFBackupStop(handle_, context_), "NSFBackupStop");
}

CallStatus DominoDatabase::changeInfoSize(std::uint64_t& sizeBytes) noexcept {
    DWORD low = 0;
    DWORD high = 0;
    const STATUS status = api_.NSFBackupGetChangeInfoSize(handle_, context_, 0, &low, &high);
    sizeBytes = join(low, high);
    return callStatus(status, "NSFBackupGetChangeInfoSize");
}

CallStatus DominoDatabase::nextChangeInfo(std::span<char> buffer, std::uint32_t& filled) noexcept {
    filled = 0;
    return callStatus(api_.NSFBackupGetNextChangeInfo(handle_, context_, 0, buffer.data(),
                                                      static_cast<DWORD>(buffer.size()), &filled),
                      "NSFBackupGetNextChangeInfo");
}

CallStatus DominoDatabase::end(engine::EndMode mode) noexcept {
    const DWORD options = mode == engine::EndMode::abort ? kBackupEndAbort : 0;
    const STATUS ended = api_.NSFBackupEnd(handle_, context_, options);
    // If there is nothing left to abort, the abort has succeeded.
    if (mode == engine::EndMode::abort && errorCode(ended) == error::kNotDoingBackup) {
        inBackup_ = false;
        return {};
    }
    const CallStatus status = callStatus(ended, "NSFBackupEnd");
    // If the end failed, the destructor still aborts the context.
    if (status.ok()) inBackup_ = false;
    return status;
}

}  // namespace domino_vss::domino
