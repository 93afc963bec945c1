#include "translog.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "timedate.h"
#include "utf8_path.h"

namespace domino_sim {

namespace fs = std::filesystem;

namespace {

constexpr std::uint32_t kExtentMagic = 0x4E585453;
constexpr std::uint32_t kRecordMagic = 0x5243544C;
constexpr const char* kControlName = "NLOGCTRL.LFH";

struct ExtentHead {
    std::uint32_t magic;
    std::uint32_t number;
    Unid logId;
    std::uint64_t bytes;  // the file size: a shorter file is incomplete
};

struct RecordHead {
    std::uint32_t magic;
    std::uint32_t lengthBytes;  // including the page numbers
    std::uint32_t pageCount;
    std::uint32_t pageCountAfter;
    Unid instanceId;
    std::uint64_t sequence;
    std::uint64_t seed;
    std::uint64_t parentChain;
    std::uint64_t chain;
    TimeDate committed;
    std::uint64_t checksum;  // of all other fields
};

struct ControlFile {
    std::uint32_t magic;
    std::uint32_t style;
    Unid logId;
    std::uint32_t firstExtent;
    std::uint32_t currentExtent;
    std::uint64_t done[1024];
    std::uint64_t checksum;
};

std::string extentPath(const Environment& environment, std::uint32_t number) {
    return (pathOf(logDirectory(environment)) / extentName(number)).string();
}

LogStyle configuredStyle(const Environment& environment) {
    const std::string text = environment.ini.find("TRANSLOG_Style").value_or("0");
    return text == "1" ? LogStyle::archive : text == "2" ? LogStyle::linear : LogStyle::circular;
}

std::uint64_t recordChecksum(std::span<const std::byte> bytes) {
    std::vector<std::byte> copy(bytes.begin(), bytes.end());
    std::memset(copy.data() + offsetof(RecordHead, checksum), 0, sizeof(std::uint64_t));
    return checksumOf(copy);
}

std::uint64_t controlChecksum(ControlFile control) {
    control.checksum = 0;
    return checksumOf(bytesOf(std::as_const(control)));
}

void saveControl(const Environment& environment, const LogState& log) {
    ControlFile control{kExtentMagic, log.style, log.logId, log.firstExtent, log.currentExtent, {}, 0};
    std::ranges::copy(log.done, control.done);
    control.checksum = controlChecksum(control);
    const std::string path = (pathOf(logDirectory(environment)) / kControlName).string();
    platform::File(path, platform::FileMode::createOrOpen).writeAt(0, bytesOf(std::as_const(control)));
}

void startExtent(const Environment& environment, LogState& log, std::uint32_t number) {
    const platform::File file(extentPath(environment, number), platform::FileMode::createOrOpen);
    const auto bytes = static_cast<std::uint64_t>(environment["SIM_LOG_EXTENT_BYTES"_setting]);
    const ExtentHead head{kExtentMagic, number, log.logId, bytes};
    file.truncate(0);
    file.truncate(bytes);  // an extent has its full size from the start
    file.writeAt(0, bytesOf(head));
    log.currentExtent = number;
    log.currentBytes = sizeof head;
}

/** The numbers of the extent files in the log directory. */
std::vector<std::uint32_t> extentsPresent(const Environment& environment) {
    std::vector<std::uint32_t> numbers;
    for (const fs::directory_entry& entry : fs::directory_iterator(pathOf(logDirectory(environment)))) {
        const std::string name = entry.path().filename().string();
        if (name.size() == 12 && name.front() == 'S' && name.ends_with(".TXN")) {
            numbers.push_back(static_cast<std::uint32_t>(std::strtoul(name.c_str() + 1, nullptr, 10)));
        }
    }
    std::ranges::sort(numbers);
    return numbers;
}

/** Visits the valid records of an extent. Returns the offset at which they end. */
std::uint64_t scanRecords(const platform::File& file, const std::function<void(const LogRecord&)>& visit) {
    std::vector<std::byte> bytes(file.sizeBytes());
    bytes.resize(file.readAt(0, bytes));
    std::uint64_t at = sizeof(ExtentHead);
    while (at + sizeof(RecordHead) <= bytes.size()) {
        RecordHead head;
        std::memcpy(&head, bytes.data() + at, sizeof head);
        const bool isSound = head.magic == kRecordMagic && head.lengthBytes <= bytes.size() - at &&
                             head.lengthBytes == sizeof head + head.pageCount * sizeof(std::uint32_t) &&
                             head.checksum == recordChecksum(std::span(bytes).subspan(at, head.lengthBytes));
        if (!isSound) {
            break;
        }
        LogRecord record{head.instanceId, head.sequence,  head.seed,           head.parentChain,
                         head.chain,      head.committed, head.pageCountAfter, {}};
        record.pages.resize(head.pageCount);
        std::memcpy(record.pages.data(), bytes.data() + at + sizeof head, head.pageCount * sizeof(std::uint32_t));
        visit(record);
        at += head.lengthBytes;
    }
    return at;
}

/** Rebuilds the state from the extents found, as requested by TRANSLOG_Recreate_Logctrl=1. */
bool rebuildFromExtents(const Environment& environment, LogState& log) {
    const auto numbers = extentsPresent(environment);
    if (numbers.empty()) {
        return false;
    }
    ExtentHead head{};
    platform::File(extentPath(environment, numbers.back()), platform::FileMode::read).readAt(0, bytesOf(head));
    log.logId = head.logId;
    log.firstExtent = numbers.front();
    log.currentExtent = numbers.back();
    return head.magic == kExtentMagic;
}

bool loadControl(const Environment& environment, LogState& log) {
    const std::string path = (pathOf(logDirectory(environment)) / kControlName).string();
    if (!fs::exists(pathOf(path))) {
        return false;
    }
    ControlFile control{};
    platform::File(path, platform::FileMode::read).readAt(0, bytesOf(control));
    if (control.magic != kExtentMagic || control.checksum != controlChecksum(control)) {
        return false;
    }
    log.logId = control.logId;
    log.firstExtent = control.firstExtent;
    log.currentExtent = control.currentExtent;
    std::ranges::copy(control.done, log.done);
    return fs::exists(pathOf(extentPath(environment, control.currentExtent)));
}

/** Loads the control file into the partition. Call with the log lock held. */
void load(const Environment& environment, LogState& log) {
    if (log.loaded != 0) {
        return;
    }
    fs::create_directories(pathOf(logDirectory(environment)));
    log.style = static_cast<std::uint32_t>(configuredStyle(environment));
    const bool mayRebuild = environment.ini.find("TRANSLOG_Recreate_Logctrl").value_or("0") == "1";
    if (loadControl(environment, log) || (mayRebuild && rebuildFromExtents(environment, log))) {
        const platform::File file(extentPath(environment, log.currentExtent), platform::FileMode::read);
        log.currentBytes = scanRecords(file, [](const LogRecord&) {});
    } else {
        log.logId = uniqueUnid();
        log.firstExtent = 0;
        std::ranges::fill(log.done, 0u);
        startExtent(environment, log, 0);
    }
    saveControl(environment, log);
    log.loaded = 1;
}

/** Frees extents that are no longer needed and begins the next one. */
void rollOver(Environment& environment, LogState& log) {
    const std::uint32_t next = log.currentExtent + 1;
    const auto keep = static_cast<std::uint32_t>(environment["SIM_LOG_EXTENTS"_setting]);
    for (std::uint32_t number = log.firstExtent; number < next; ++number) {
        // Circular and linear logs differ only in size: both overwrite old extents.
        const bool isFree = log.style == static_cast<std::uint32_t>(LogStyle::archive) ? isArchived(log, number)
                                                                                       : number + keep <= next;
        if (isFree) {
            std::error_code ignored;
            fs::remove(pathOf(extentPath(environment, number)), ignored);
            if (number == log.firstExtent) {
                setArchived(log, number, false);
                setHandedOut(log, number, false);
                ++log.firstExtent;
            }
        }
    }
    startExtent(environment, log, next);
    saveControl(environment, log);
}

}  // namespace

std::string extentName(std::uint32_t number) {
    char name[32];
    std::snprintf(name, sizeof name, "S%07u.TXN", number);
    return name;
}

bool isServerLogged(const Environment& environment) {
    return environment.ini.find("TRANSLOG_Status").value_or("0") == "1";
}

std::string logDirectory(const Environment& environment) {
    const fs::path path = pathOf(environment.ini.find("TRANSLOG_Path").value_or("logdir"));
    return (path.is_absolute() ? path : pathOf(environment.dataDirectory) / path).string();
}

namespace {

bool isMarked(const std::uint64_t (&marks)[1024], std::uint32_t extent) {
    return (marks[extent % 65536 / 64] >> (extent % 64) & 1) != 0;
}

void mark(std::uint64_t (&marks)[1024], std::uint32_t extent, bool isSet) {
    const std::uint64_t bit = std::uint64_t{1} << (extent % 64);
    std::uint64_t& word = marks[extent % 65536 / 64];
    word = isSet ? word | bit : word & ~bit;
}

}  // namespace

bool isArchived(const LogState& log, std::uint32_t extent) {
    return isMarked(log.done, extent);
}

void setArchived(LogState& log, std::uint32_t extent, bool archived) {
    mark(log.done, extent, archived);
}

bool isHandedOut(const LogState& log, std::uint32_t extent) {
    return isMarked(log.handedOut, extent);
}

void setHandedOut(LogState& log, std::uint32_t extent, bool handedOut) {
    mark(log.handedOut, extent, handedOut);
}

LogPosition logPosition(Environment& environment) {
    PartitionLayout& shared = environment.partition->layout();
    const platform::RobustLock lock(shared.logLock);
    load(environment, shared.log);
    return {static_cast<LogStyle>(shared.log.style), shared.log.logId, shared.log.firstExtent,
            shared.log.currentExtent};
}

void changeLog(Environment& environment, const std::function<void(LogState&)>& change) {
    PartitionLayout& shared = environment.partition->layout();
    const platform::RobustLock lock(shared.logLock);
    load(environment, shared.log);
    change(shared.log);
    saveControl(environment, shared.log);
}

void appendTransaction(Environment& environment, const Unid& instanceId, const TransactionPlan& plan) {
    RecordHead head{kRecordMagic,
                    static_cast<std::uint32_t>(sizeof(RecordHead) + plan.pages.size() * sizeof(std::uint32_t)),
                    static_cast<std::uint32_t>(plan.pages.size()),
                    plan.after.pageCount,
                    instanceId,
                    plan.after.sequence,
                    plan.after.seed,
                    plan.before.chain,
                    plan.after.chain,
                    plan.after.committed,
                    0};
    std::vector<std::byte> bytes(head.lengthBytes);
    std::memcpy(bytes.data() + sizeof head, plan.pages.data(), plan.pages.size() * sizeof(std::uint32_t));
    std::memcpy(bytes.data(), &head, sizeof head);
    head.checksum = recordChecksum(bytes);
    std::memcpy(bytes.data(), &head, sizeof head);

    PartitionLayout& shared = environment.partition->layout();
    const platform::RobustLock lock(shared.logLock);
    LogState& log = shared.log;
    load(environment, log);
    if (static_cast<double>(log.currentBytes + bytes.size()) > environment["SIM_LOG_EXTENT_BYTES"_setting]) {
        rollOver(environment, log);
    }
    const platform::File file(extentPath(environment, log.currentExtent), platform::FileMode::readWrite);
    file.writeAt(log.currentBytes, bytes);
    if (environment.isOn("SIM_LOG_SYNC"_setting)) {
        file.sync();
    }
    log.currentBytes += bytes.size();
}

bool readExtent(const std::string& path, const Unid& logId, std::uint32_t number,
                const std::function<void(const LogRecord&)>& visit) {
    if (!fs::exists(pathOf(path))) {
        return false;
    }
    const platform::File file(path, platform::FileMode::read);
    ExtentHead head{};
    file.readAt(0, bytesOf(head));
    if (head.magic != kExtentMagic || head.number != number || head.logId != logId || file.sizeBytes() < head.bytes) {
        return false;
    }
    scanRecords(file, visit);
    return true;
}

}  // namespace domino_sim
