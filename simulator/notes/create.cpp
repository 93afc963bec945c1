#include "create.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <vector>

#include "lmbcs.h"
#include "timedate.h"
#include "translog.h"
#include "utf8_path.h"

namespace domino_sim {

namespace fs = std::filesystem;

namespace {

constexpr std::uint16_t kOds = 53;
constexpr std::uint32_t kPagesAtOnce = 256;

HeaderPage newHeader(const NewDatabase& database) {
    HeaderPage header{};
    std::ranges::copy(kNsfSignature, header.signature);
    header.odsMajor = kOds;
    header.databaseId = database.databaseId;
    header.replicaId = database.replicaId;
    header.flags = database.isLogged ? kHeaderLogged : 0u;
    if (database.isLogged) {
        header.instanceId = uniqueUnid();
        header.logId = database.logId;
    }
    header.created = currentTimeDate();
    header.modified = header.created;
    const std::string title = lmbcs::fromUtf8(database.title);
    std::memcpy(header.info, title.data(), std::min<std::size_t>(title.size(), kInfoBytes - 1));
    sealHeader(header);
    return header;
}

}  // namespace

void writeDatabaseFile(const std::string& path, const NewDatabase& database) {
    const platform::File file(path, platform::FileMode::createNew);
    file.writeAt(0, bytesOf(newHeader(database)));
    SuperblockState state;
    state.databaseId = database.databaseId;
    state.seed = database.seed;
    state.initialSeed = database.seed;
    state.pageCount = database.pages;
    state.initialPageCount = database.pages;
    state.chain = initialChain(database.databaseId, database.seed, database.pages);
    Superblock superblock;
    fillSuperblock(superblock, state);
    file.writeAt(kPageBytes, bytesOf(std::as_const(superblock)));
    std::vector<DataPage> pages;
    for (std::uint32_t first = kSuperblockPage + 1; first < database.pages; first += kPagesAtOnce) {
        pages.resize(std::min(kPagesAtOnce, database.pages - first));
        for (std::uint32_t i = 0; i < pages.size(); ++i) {
            fillDataPage(pages[i], database.databaseId, first + i, 0, database.seed);
        }
        file.writeAt(static_cast<std::uint64_t>(first) * kPageBytes, std::as_bytes(std::span(pages)));
    }
}

void createDatabase(Environment& environment, const std::string& path, bool force) {
    const fs::path named = pathOf(path);
    fs::path target = named.is_absolute() ? named : pathOf(environment.dataDirectory) / named;
    target.make_preferred();
    if (target.extension().empty()) {
        target += ".nsf";
    }
    if (fs::exists(target)) {
        if (!force) {
            throw StatusError(kExists);
        }
        deleteDatabase(environment, target.string());
    }
    NewDatabase database;
    database.databaseId = uniqueTimeDate();
    database.replicaId = uniqueTimeDate();
    database.seed = mix(database.databaseId.innards[0], database.replicaId.innards[0]);
    database.isLogged = isServerLogged(environment) && environment.isInDataDirectory(target.string());
    if (database.isLogged) {
        database.logId = logPosition(environment).logId;
    }
    database.title = target.stem().string();
    writeDatabaseFile(target.string(), database);
}

void deleteDatabase(Environment& environment, const std::string& path) {
    const ResolvedPath resolved = resolvePath(environment, path);
    if (resolved.kind == PathKind::directory) {
        throw StatusError(kNotNsf);
    }
    const auto identity = platform::identityOf(resolved.expanded);
    if (!identity) {
        throw StatusError(kNoExist);
    }
    Slot& slot = environment.partition->slotOf(*identity);
    const platform::RobustLock lock(slot.state);
    if (handlesInUse(*environment.partition, slot) != 0) {
        throw StatusError(kDatabaseInUse);
    }
    fs::remove(pathOf(resolved.expanded));
}

void setInfo(Database& database, const char* info) {
    database.changeHeader([&](HeaderPage& header) {
        std::memcpy(header.info, info, kInfoBytes);
        header.info[kInfoBytes - 1] = 0;
        header.modified = currentTimeDate();
    });
}

}  // namespace domino_sim
