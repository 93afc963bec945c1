#pragma once
// Hand-declared C API types: widths and layouts of the 64-bit platforms (natural alignment, 32-bit handles).

#include <array>
#include <cstdint>

namespace domino_sim {

using Status = std::uint16_t;
using Handle = std::uint32_t;

struct TimeDate {
    std::uint32_t innards[2];

    friend bool operator==(const TimeDate&, const TimeDate&) = default;
};

struct Unid {
    TimeDate file;
    TimeDate note;

    friend bool operator==(const Unid&, const Unid&) = default;
};

struct OriginatorId {
    TimeDate file;
    TimeDate note;
    std::uint32_t sequence;
    TimeDate sequenceTime;
};

struct GlobalInstanceId {
    TimeDate file;
    TimeDate note;
    std::uint32_t noteId;
};

struct SearchMatch {
    GlobalInstanceId id;
    OriginatorId originator;
    std::uint16_t noteClass;
    std::uint8_t returnFlags;
    std::uint8_t privileges;
    std::uint16_t summaryBytes;
};

struct ReplicaInfo {
    TimeDate id;
    std::uint16_t flags;
    std::uint16_t cutoffInterval;
    TimeDate cutoff;
};

struct NoteRestoreInfo {
    std::uint16_t infoSize;
    std::uint32_t noteId;
    std::uint32_t note;
    TimeDate transactionTime;
    char* userName;
    char* pathName;
};

struct Time {
    int year, month, day, weekday, hour, minute, second, hundredth, dst, zone;
    TimeDate gmt;
};

struct BuildVersion {
    std::uint32_t major;
    std::uint32_t minor;
    std::uint32_t maintenanceRelease;
    std::uint32_t maintenanceUpdate;
    std::uint32_t hotfix;
    std::uint32_t flags;
    std::uint32_t fixpack;
    std::uint32_t spare[2];
};

static_assert(sizeof(TimeDate) == 8 && sizeof(Unid) == 16 && sizeof(OriginatorId) == 28);
static_assert(sizeof(SearchMatch) == 56 && sizeof(ReplicaInfo) == 20 && sizeof(NoteRestoreInfo) == 40);
static_assert(sizeof(Time) == 48);

inline constexpr std::uint32_t kInfoBytes = 128;

using InfoBuffer = std::array<char, kInfoBytes>;

}  // namespace domino_sim
