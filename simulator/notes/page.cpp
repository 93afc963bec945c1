#include "page.h"

#include <bit>
#include <cstring>

namespace domino_sim {

std::uint64_t mix(std::uint64_t left, std::uint64_t right) {
    Random random(left ^ std::rotl(right, 29) ^ 0xD6E8FEB86659FD93u);
    return random.next() ^ Random(right + 0x2545F4914F6CDD1Du).next();
}

std::uint64_t checksumOf(std::span<const std::byte> bytes) {
    std::uint64_t lanes[4] = {0x243F6A8885A308D3u, 0x13198A2E03707344u, 0xA4093822299F31D0u, 0x082EFA98EC4E6C89u};
    std::size_t offset = 0;
    for (; offset + 32 <= bytes.size(); offset += 32) {
        std::uint64_t words[4];
        std::memcpy(words, bytes.data() + offset, sizeof words);
        for (int lane = 0; lane < 4; ++lane) {
            lanes[lane] = std::rotl((lanes[lane] ^ words[lane]) * 0x9FB21C651E98DF25u, 31);
        }
    }
    std::uint64_t sum = bytes.size();
    for (; offset < bytes.size(); ++offset) {
        sum = mix(sum, static_cast<std::uint64_t>(bytes[offset]));
    }
    for (const std::uint64_t lane : lanes) {
        sum = mix(sum, lane);
    }
    return sum;
}

namespace {

template <typename Page>
std::uint64_t pageChecksum(const Page& page) {
    Page copy = page;
    copy.head.checksum = 0;
    return checksumOf(bytesOf(std::as_const(copy)));
}

}  // namespace

void fillDataPage(DataPage& page, const TimeDate& databaseId, std::uint32_t number, std::uint64_t sequence,
                  std::uint64_t seed) {
    page.head = {kPageMagic, number, sequence, databaseId, seed, 0};
    Random random(mix(seed, number));
    for (std::uint64_t& word : page.content) {
        word = random.next();
    }
    page.head.checksum = pageChecksum(page);
}

void fillSuperblock(Superblock& page, const SuperblockState& state) {
    page.head = {kPageMagic, kSuperblockPage, state.sequence, state.databaseId, state.seed, 0};
    page.initialSeed = state.initialSeed;
    page.chain = state.chain;
    page.pageCount = state.pageCount;
    page.initialPageCount = state.initialPageCount;
    page.committed = state.committed;
    Random random(mix(state.seed, kSuperblockPage));
    for (std::uint64_t& word : page.filler) {
        word = random.next();
    }
    page.head.checksum = pageChecksum(page);
}

SuperblockState stateOf(const Superblock& page) {
    return {page.head.databaseId, page.head.sequence, page.head.seed,        page.initialSeed,
            page.chain,           page.pageCount,     page.initialPageCount, page.committed};
}

bool isIntact(const Superblock& page) {
    return page.head.magic == kPageMagic && page.head.number == kSuperblockPage &&
           page.head.checksum == pageChecksum(page);
}

std::uint64_t initialChain(const TimeDate& databaseId, std::uint64_t initialSeed, std::uint32_t pageCount) {
    const std::uint64_t id = (static_cast<std::uint64_t>(databaseId.innards[1]) << 32) | databaseId.innards[0];
    return mix(mix(id, initialSeed), pageCount);
}

std::uint64_t nextChain(std::uint64_t parent, std::uint64_t seed, std::uint64_t sequence) {
    return mix(mix(parent, seed), sequence);
}

namespace {

std::uint64_t headerChecksum(const HeaderPage& header) {
    HeaderPage copy = header;
    copy.checksum = 0;
    return checksumOf(bytesOf(std::as_const(copy)));
}

}  // namespace

void sealHeader(HeaderPage& header) {
    header.checksum = headerChecksum(header);
}

bool isNsf(const HeaderPage& header) {
    return std::memcmp(header.signature, kNsfSignature, sizeof kNsfSignature) == 0;
}

bool isIntact(const HeaderPage& header) {
    return isNsf(header) && header.checksum == headerChecksum(header);
}

}  // namespace domino_sim
