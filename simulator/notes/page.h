#pragma once
// The stand-in's database file: 4096-byte pages. Page 0 is the header, page 1 the superblock of the workload. The
// content of the other pages is derived from the seed of the transaction that wrote them, so that any reader can verify
// every byte.

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "types.h"

namespace domino_sim {

inline constexpr std::uint32_t kPageBytes = 4096;
inline constexpr std::uint32_t kHeaderPage = 0;
inline constexpr std::uint32_t kSuperblockPage = 1;
inline constexpr std::uint32_t kMinimumPages = 3;

struct PageHead {
    std::uint32_t magic;
    std::uint32_t number;
    std::uint64_t sequence;  // of the transaction that wrote the page
    TimeDate databaseId;
    std::uint64_t seed;  // of that transaction
    std::uint64_t checksum;
};

struct DataPage {
    PageHead head;
    std::uint64_t content[(kPageBytes - sizeof(PageHead)) / 8];
};

/** The contents of a database after its last committed transaction. */
struct Superblock {
    PageHead head;
    std::uint64_t initialSeed;
    std::uint64_t chain;  // identifies the whole history: two different histories never have the same value
    std::uint32_t pageCount;
    std::uint32_t initialPageCount;
    TimeDate committed;
    std::uint64_t filler[(kPageBytes - sizeof(PageHead) - 32) / 8];
};

enum HeaderFlags : std::uint32_t {
    kHeaderLogged = 1,
    kHeaderSpoilt = 2,  // a roll-forward failed half way
};

struct HeaderPage {
    unsigned char signature[6];
    std::uint16_t odsMajor;
    TimeDate databaseId;
    TimeDate replicaId;
    Unid instanceId;  // DBIID
    Unid logId;
    std::uint32_t flags;
    std::uint32_t headerSequence;  // counts logged changes of this page
    TimeDate created;
    TimeDate modified;
    TimeDate lastFixup;
    TimeDate lastCompact;
    // In-backup marker. NSFBackupStart writes it into the image, so every copy of that image contains it.
    std::uint64_t backupId;  // 0 = none
    std::uint64_t backupStartBytes;
    TimeDate backupTime;
    std::uint32_t backupLogExtent;
    std::uint32_t completedLogExtent;  // of the last backup that reached NSFBackupStop
    TimeDate completedTime;            // zero = none
    char info[kInfoBytes];
    std::uint64_t checksum;
    std::byte rest[kPageBytes - 272];
};

static_assert(sizeof(DataPage) == kPageBytes && sizeof(Superblock) == kPageBytes && sizeof(HeaderPage) == kPageBytes);

inline constexpr std::uint32_t kPageMagic = 0x45474150;
inline constexpr unsigned char kNsfSignature[6] = {0x1A, 0x00, 0x00, 0x04, 0x00, 0x00};

/** splitmix64: small, fast, and identical on all systems. */
class Random {
public:
    explicit Random(std::uint64_t seed) : state_(seed) {}

    std::uint64_t next() {
        state_ += 0x9E3779B97F4A7C15u;
        std::uint64_t value = state_;
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9u;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EBu;
        return value ^ (value >> 31);
    }

    /** A value in [0, limit). */
    std::uint32_t below(std::uint32_t limit) {
        return static_cast<std::uint32_t>(((next() >> 32) * static_cast<std::uint64_t>(limit)) >> 32);
    }

    /** A value in [0, 1). */
    double unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

private:
    std::uint64_t state_;
};

/** Mixes two values into one that depends on all bits of both. */
std::uint64_t mix(std::uint64_t left, std::uint64_t right);

std::uint64_t checksumOf(std::span<const std::byte> bytes);

void fillDataPage(DataPage& page, const TimeDate& databaseId, std::uint32_t number, std::uint64_t sequence,
                  std::uint64_t seed);

struct SuperblockState {
    TimeDate databaseId{};
    std::uint64_t sequence = 0;
    std::uint64_t seed = 0;
    std::uint64_t initialSeed = 0;
    std::uint64_t chain = 0;
    std::uint32_t pageCount = 0;
    std::uint32_t initialPageCount = 0;
    TimeDate committed{};
};

void fillSuperblock(Superblock& page, const SuperblockState& state);
SuperblockState stateOf(const Superblock& page);
bool isIntact(const Superblock& page);

std::uint64_t initialChain(const TimeDate& databaseId, std::uint64_t initialSeed, std::uint32_t pageCount);
std::uint64_t nextChain(std::uint64_t parent, std::uint64_t seed, std::uint64_t sequence);

void sealHeader(HeaderPage& header);
bool isNsf(const HeaderPage& header);
bool isIntact(const HeaderPage& header);

template <typename Page>
std::span<std::byte> bytesOf(Page& page) {
    return std::as_writable_bytes(std::span(&page, 1));
}

template <typename Page>
std::span<const std::byte> bytesOf(const Page& page) {
    return std::as_bytes(std::span(&page, 1));
}

}  // namespace domino_sim
