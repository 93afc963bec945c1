#include "transaction.h"

#include <algorithm>
#include <thread>

#include "timedate.h"
#include "translog.h"

namespace domino_sim {

namespace {

constexpr std::uint32_t kMaxDataPages = 15;  // with the superblock, 2 to 16 pages
constexpr std::uint32_t kMaxAppended = 4;
constexpr int kMaxYields = 1000;

void writePlannedPage(Database& database, const SuperblockState& after, std::uint32_t number) {
    if (number == kSuperblockPage) {
        Superblock page;
        fillSuperblock(page, after);
        database.writePage(number, bytesOf(std::as_const(page)));
    } else {
        DataPage page;
        fillDataPage(page, after.databaseId, number, after.sequence, after.seed);
        database.writePage(number, bytesOf(std::as_const(page)));
    }
}

void setPending(PendingTransaction& pending, const TransactionPlan& plan) {
    pending.sequence = plan.after.sequence;
    pending.seed = plan.after.seed;
    pending.chain = plan.after.chain;
    pending.committed = plan.after.committed;
    pending.databasePages = plan.after.pageCount;
    pending.pageCount = static_cast<std::uint32_t>(plan.pages.size());
    std::ranges::copy(plan.pages, pending.pages);
    pending.active.store(1, std::memory_order_release);
}

}  // namespace

TransactionPlan planTransaction(const SuperblockState& before, std::uint64_t seed) {
    TransactionPlan plan{before, before, {}};
    plan.after.sequence = before.sequence + 1;
    plan.after.seed = seed;
    plan.after.chain = nextChain(before.chain, seed, plan.after.sequence);
    plan.after.committed = currentTimeDate();
    Random random(seed);
    const std::uint32_t limit = before.initialPageCount * 2 + 64;
    if (before.pageCount < limit && random.below(8) == 0) {
        plan.after.pageCount += 1 + random.below(kMaxAppended);
    }
    for (std::uint32_t page = before.pageCount; page < plan.after.pageCount; ++page) {
        plan.pages.push_back(page);
    }
    const std::uint32_t existing = before.pageCount - kSuperblockPage - 1;
    const std::uint32_t room = kMaxDataPages - static_cast<std::uint32_t>(plan.pages.size());
    const std::uint32_t wanted = 1 + random.below(std::min(room, std::max(existing, 1u)));
    for (std::uint32_t i = 0; i < wanted && existing > 0; ++i) {
        const std::uint32_t page = kSuperblockPage + 1 + random.below(existing);
        if (std::ranges::find(plan.pages, page) == plan.pages.end()) {
            plan.pages.push_back(page);
        }
    }
    plan.pages.push_back(kSuperblockPage);
    for (std::size_t i = plan.pages.size() - 1; i > 0; --i) {
        std::swap(plan.pages[i], plan.pages[random.below(static_cast<std::uint32_t>(i) + 1)]);
    }
    return plan;
}

void runTransaction(Database& database, std::uint64_t seed, TransactionObserver& observer) {
    Slot& slot = database.slot();
    // The lock alone would let a busy writer starve a waiting NSFBackupStart. Bounded, because the waiting process may
    // die.
    for (int turn = 0; turn < kMaxYields && slot.startsWaiting.load(std::memory_order_relaxed) != 0; ++turn) {
        std::this_thread::yield();
    }
    const TransactionLock lock(database);
    const HeaderPage header = database.readHeader();
    const TransactionPlan plan = planTransaction(stateOf(database.readSuperblock()), seed);
    observer.begin(plan);
    if (database.isLogged(header)) {
        appendTransaction(database.environment(), header.instanceId, plan);
    }
    setPending(slot.pending, plan);
    for (std::size_t i = 0; i < plan.pages.size(); ++i) {
        writePlannedPage(database, plan.after, plan.pages[i]);
        observer.pageWritten(i + 1);
    }
    slot.pending.active = 0;
    observer.end(plan);
}

void completePendingTransaction(Database& database) {
    PendingTransaction& pending = database.slot().pending;
    SuperblockState after = stateOf(database.readSuperblock());
    after.sequence = pending.sequence;
    after.seed = pending.seed;
    after.chain = pending.chain;
    after.committed = pending.committed;
    after.pageCount = pending.databasePages;
    for (std::uint32_t i = 0; i < pending.pageCount; ++i) {
        writePlannedPage(database, after, pending.pages[i]);
    }
    pending.active = 0;
}

}  // namespace domino_sim
