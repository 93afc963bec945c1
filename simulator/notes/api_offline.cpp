// Taking databases offline and bringing them online.

#include <filesystem>

#include "api.h"
#include "offline.h"
#include "utf8_path.h"

using namespace domino_sim;

namespace {

constexpr std::uint32_t kNoDelete = 1;
constexpr std::uint32_t kKeepAccessEntities = 2;
constexpr std::int64_t kRetryNs = 2'000'000;

std::string databaseFile(Environment& environment, const std::string& path) {
    const ResolvedPath resolved = resolvePath(environment, path);
    if (resolved.kind == PathKind::directory) {
        throw StatusError(kNotNsf);
    }
    return resolved.expanded;
}

/** Returns true once no living process has the file open. */
bool waitUntilUnused(Environment& environment, const std::string& path, std::uint32_t waitMs) {
    const auto identity = platform::identityOf(path);
    if (!identity) {
        throw StatusError(kNoExist);
    }
    Slot& slot = environment.partition->slotOf(*identity);
    const std::int64_t deadline = platform::monotonicNs() + static_cast<std::int64_t>(waitMs) * 1'000'000;
    while (true) {
        {
            const platform::RobustLock lock(slot.state);
            if (handlesInUse(*environment.partition, slot) == 0) {
                return true;
            }
        }
        const std::int64_t leftNs = deadline - platform::monotonicNs();
        if (leftNs <= 0) {
            return false;
        }
        platform::sleepExactlyNs(std::min(leftNs, kRetryNs));
    }
}

}  // namespace

NOTES_API std::uint64_t NSFTakeDatabaseOffline(const char* dbPath, std::uint32_t waitMs, std::uint32_t options) {
    return call("NSFTakeDatabaseOffline"_function, {0, dbPath}, [&](Environment& environment) -> Status {
        requireZero(options & ~(kNoDelete | kKeepAccessEntities));
        const std::string named = pathArgument(environment, dbPath);
        if (!pathOf(named).is_absolute() && environment.settings.is("SIM_OFFLINE_PATH"_setting, "full")) {
            return kAbsolutePathNeeded;
        }
        const std::string path = databaseFile(environment, named);
        Partition& partition = *environment.partition;
        if (isOffline(partition, path)) {
            return kDatabaseOffline;
        }
        markOffline(partition, path);  // from now on it cannot be opened
        if (!waitUntilUnused(environment, path, waitMs)) {
            clearOffline(partition, path);
            return kDatabaseInUse;
        }
        if ((options & kNoDelete) == 0) {
            std::filesystem::remove(pathOf(path));
        }
        return kNoError;
    });
}

NOTES_API std::uint64_t NSFBringDatabaseOnline(const char* dbPath, std::uint32_t options) {
    return call("NSFBringDatabaseOnline"_function, {0, dbPath}, [&](Environment& environment) -> Status {
        requireZero(options);
        clearOffline(*environment.partition, databaseFile(environment, pathArgument(environment, dbPath)));
        return kNoError;
    });
}
