#include "domino/canary.h"

#include <array>
#include <cstring>

#include "domino/domino_source.h"
#include "domino/lmbcs.h"
#include "domino/runtime.h"
#include "domino/status.h"
#include "system/current_call.h"

namespace domino_vss::domino {

namespace {

constexpr std::size_t kInfoBytes = 128;

std::string serverPath(const Api& api, const std::string& serverName, const std::string& database) {
    std::array<char, kPathBufferBytes> path{};
    require(
        api,
        api.OSPathNetConstruct(nullptr, toLmbcs(api, serverName).c_str(), toLmbcs(api, database).c_str(), path.data()),
        "OSPathNetConstruct", Phase::probe, database);
    return path.data();
}

/// A database created through the server and deleted through it.
class CanaryDatabase {
public:
    CanaryDatabase(const Api& api, std::string path, const std::string& name) : api_(api), path_(std::move(path)) {
        require(api, api.NSFDbCreate(path_.c_str(), kDbClassNoteFile, 0), "NSFDbCreate", Phase::probe, name);
    }
    CanaryDatabase(const CanaryDatabase&) = delete;
    CanaryDatabase& operator=(const CanaryDatabase&) = delete;
    ~CanaryDatabase() { static_cast<void>(api_.NSFDbDelete(path_.c_str())); }

    /// The smallest possible write: the server stores a new title.
    void writeThroughServer(const std::string& name) {
        DBHANDLE handle = 0;
        require(api_, api_.NSFDbOpen(path_.c_str(), &handle), "NSFDbOpen", Phase::probe, name);
        const DominoDatabase closer(api_, handle);
        std::array<char, kInfoBytes> info{};
        std::strncpy(info.data(), "domino-vss canary: written during backup", info.size() - 1);
        require(api_, api_.NSFDbInfoSet(handle, info.data()), "NSFDbInfoSet", Phase::probe, name);
    }

private:
    const Api& api_;
    std::string path_;
};

void requireOk(const Api& api, const CallStatus& status, const std::string& name) {
    if (!status.ok()) throw describe(api, status, Phase::probe, name);
}

}  // namespace

std::uint64_t runCanary(const Api& api, const std::string& serverName, const std::string& database) {
    if (api.NSFDbCreate == nullptr || api.NSFDbDelete == nullptr || api.NSFDbInfoSet == nullptr)
        throw Failure(code::kUnsupported, Phase::probe, "this Domino release lacks a function the canary needs",
                      database);
    CurrentCall::note("NSFDbCreate");
    CanaryDatabase canary(api, serverPath(api, serverName, database), database);
    DBHANDLE handle = 0;
    require(api, api.NSFDbOpen(toLmbcs(api, database).c_str(), &handle), "NSFDbOpen", Phase::probe, database);
    DominoDatabase local(api, handle);
    std::uint64_t startSize = 0;
    std::uint64_t changeInfo = 0;
    requireOk(api, local.start(startSize), database);
    canary.writeThroughServer(database);
    requireOk(api, local.stop(), database);
    requireOk(api, local.changeInfoSize(changeInfo), database);
    requireOk(api, local.end(engine::EndMode::abort), database);
    return changeInfo;
}

}  // namespace domino_vss::domino
