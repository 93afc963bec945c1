#pragma once
// The settings of the stand-in: what is uncertain about the real product, and how fast and how strict the stand-in is.

#include <array>
#include <atomic>
#include <optional>
#include <string>
#include <string_view>

#include "functions.h"

namespace domino_sim {

class IniFile;

struct SettingRow {
    std::string_view name;
    double defaultValue;
    std::string_view words;  // `error|allow`: words by value; empty for a number
    std::string_view meaning;
};

// In the order of `domino-sim --help settings` and of the documentation.
inline constexpr auto kSettingRows = std::to_array<SettingRow>({
    {"SIM_ALLOW_ROOT", 0, "", "1: the super-user may initialise (refused with 0x01ED otherwise)"},
    {"SIM_QUIET", 0, "", "1: no line on stderr about SIM_ALLOW_ROOT"},
    {"SIM_COM_SECURITY", 0, "",
     "1: initialising sets up COM's security, weaker than VSS needs; whoever comes later is too late (Windows only)"},
    {"SIM_SEPARATE_ENVIRONMENT", 0, "",
     "1: this process does not share the server's memory (environment variable only)"},
    {"SIM_SYNC", 1, "", "1: NSFBackupStart syncs the database file to disk"},
    {"SIM_SERIALISED_SHARE", 0, "", "0..1: share of every latency spent holding one partition-wide lock"},
    {"SIM_LATENCY_DISTRIBUTION", 0, "fixed|uniform|lognormal", "how latencies scatter around their mean"},
    {"SIM_LATENCY_SPREAD", 0.5, "", "uniform: +- share of the mean; lognormal: sigma"},
    {"SIM_LATENCY_DATABASE_SPREAD", 0, "", "+- share of the mean that belongs to the database and never changes"},
    {"SIM_LATENCY_SEED", 1, "", "seed of the scatter"},
    {"SIM_NOT_INITIALISED", 0, "error|abort",
     "a call before the runtime is initialised: 0x0217 or the end of the process"},
    {"SIM_THREAD_NOT_INITIALISED", 0, "error|abort|allow",
     "a call on a thread without NotesInitThread: 0x0217, the end, or accepted"},
    {"SIM_FOREIGN_THREAD", 0, "error|abort|allow",
     "a handle used on another thread than its own: 0x0217, the end, or accepted"},
    {"SIM_BAD_HANDLE", 0, "error|abort", "a handle that does not exist: 0x0217 or the end of the process"},
    {"SIM_NESTED_INIT", 0, "error|allow", "initialising twice: 0x019F or counted"},
    {"SIM_INIT_AFTER_TERM", 0, "error|allow", "initialising again after NotesTerm: 0x019F or accepted"},
    {"SIM_CONTEXT_OTHER_THREAD", 0, "error|allow", "backup context used on another thread: 0x0EA5 or accepted"},
    {"SIM_CONTEXT_OTHER_HANDLE", 0, "error|allow",
     "backup context used with another handle of the database: 0x0EA5 or accepted"},
    {"SIM_CHANGES_BEFORE_STOP", 0, "error|empty",
     "change info asked for before NSFBackupStop: 0x0EA5, or success with 0 bytes"},
    {"SIM_CHUNK_BOUNDARIES", 0, "stream|records",
     "records: pieces are whole records, and only such pieces can be applied"},
    {"SIM_MINIMUM_BUFFER", 1, "", "smallest buffer NSFBackupGetNextChangeInfo takes; smaller ones get 0x0107"},
    {"SIM_SHORT_PIECES", 0, "", "n > 0: no piece of change info is longer than n bytes, whatever the buffer"},
    {"SIM_APPLY_TRUNCATES", 0, "", "1: applying cuts the copy to the size at NSFBackupStart"},
    {"SIM_APPLY_PATH", 0, "any|full", "full: a relative copy path gets 0x014B"},
    {"SIM_DEVICE_PATHS", 0, "refused|accepted",
     "a path that names a device, such as \\\\?\\GLOBALROOT\\…, gets 0x0113, or is like any other (Windows)"},
    {"SIM_OFFLINE_PATH", 0, "full|any", "full: NSFTakeDatabaseOffline refuses a relative path with 0x014B"},
    {"SIM_OFFLINE_SURVIVES_RESTART", 0, "", "1: databases stay offline over a server restart"},
    {"SIM_DEAD_OWNER", 0, "stays|released",
     "what a backup process leaves that died: the database stays in backup, or not"},
    {"SIM_FOREIGN_ABORT", 1, "never|dead|always",
     "BACKUPEND_ABORT with an unknown context releases: nothing, only what nobody owns any more, everything"},
    {"SIM_CLOSE_ENDS_BACKUP", 0, "", "1: NSFDbClose ends the backup of its handle"},
    {"SIM_TERM_ENDS_BACKUPS", 0, "", "1: NotesTerm ends the backups of the process"},
    {"SIM_BACKUP_TIMEOUT_MS", -1, "",
     "longest time from Start to Stop; 0 none; -1 BACKUP_TIMEOUT / BACKUP_NO_TIMEOUT of notes.ini, else 15 minutes"},
    {"SIM_CHANGE_INFO_LIMIT_BYTES", 0, "",
     "change info of one database beyond this breaks its backup off (0 = no limit)"},
    {"SIM_CHANGE_INFO_OVERFLOW", 0, "abort|write",
     "beyond the limit: the backup ends with 0x2DD8, or the user's write fails with 0x13A9"},
    {"SIM_OPEN_COPY", 0, "mark|refuse", "opening a logged copy: it is no backup any more, or 0x13F3"},
    {"SIM_UNLOGGED_LOGINFO", 0, "garbage|zero", "what NSFDbGetLogInfo writes into the ids of an unlogged database"},
    {"SIM_LOGINFO_OUTSIDE_BACKUP", 0, "allow|error", "NSFDbGetLogInfo without a backup: accepted or 0x0EA5"},
    {"SIM_MAINTENANCE_DURING_BACKUP", 0, "allow|refuse", "compact and fixup of a database in backup"},
    {"SIM_MAX_PATH", 256, "", "size of every path buffer of the API, and the longest path it opens"},
    {"SIM_SERVER_CACHE", 0, "", "the server keeps this many databases open after use"},
    {"SIM_LATE_AT_BACKUP_TIME", 0, "allow|late", "point in time equal to the backup's own time: recovered or 0x13EB"},
    {"SIM_SEARCH_FOLLOWS_LINKS", 1, "", "1: a recursive NSFSearch goes through directory links"},
    {"SIM_LOG_EXTENT_BYTES", 1048576, "", "size of a transaction log extent"},
    {"SIM_LOG_EXTENTS", 8, "", "circular and linear log: number of extents"},
    {"SIM_ARCHIVE_NEEDS_BEGIN", 1, "", "1: no extent is handed out before NSFBeginArchivingLogs"},
    {"SIM_RETRIEVED_EXTENTS", 0, "remove|keep",
     "extents that the callback of a recovery has brought: when they were read"},
    {"SIM_LOG_SYNC", 0, "", "1: commits sync the transaction log"},
});

inline constexpr std::size_t kSettingCount = kSettingRows.size();
/** The latencies of the functions, `SIM_LATENCY_<function>_US`, follow these rows. */
inline constexpr std::size_t kSettingSlots = kSettingCount + kFunctionCount;

enum class Setting : std::uint16_t {};

consteval Setting operator""_setting(const char* name, std::size_t length) {
    for (std::size_t i = 0; i < kSettingCount; ++i) {
        if (kSettingRows[i].name == std::string_view(name, length)) {
            return static_cast<Setting>(i);
        }
    }
    throw "no such setting";
}

constexpr Setting latencyOf(Function function) {
    return static_cast<Setting>(kSettingCount + indexOf(function));
}

std::optional<Setting> findSetting(std::string_view name);
std::string settingName(Setting setting);

/** nullopt if the text is neither a number nor one of the setting's words. */
std::optional<double> parseSetting(Setting setting, std::string_view text);

/** In the partition's memory: settings changed while processes run. */
struct LiveSettings {
    std::array<std::atomic<std::uint32_t>, kSettingSlots> isSet;
    std::array<std::atomic<double>, kSettingSlots> value;
};

/** The settings of a process: live value, else environment variable, else notes.ini, else default. */
class Settings {
public:
    explicit Settings(const IniFile& ini);

    void attach(const LiveSettings& live) { live_ = &live; }

    double operator[](Setting setting) const;
    bool isOn(Setting setting) const { return (*this)[setting] != 0; }
    bool is(Setting setting, std::string_view word) const;

private:
    std::array<double, kSettingSlots> own_;
    const LiveSettings* live_ = nullptr;
};

}  // namespace domino_sim
