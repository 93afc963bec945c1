#pragma once
// Multi-page transactions: the writes that continue while a backup runs.

#include <vector>

#include "database.h"

namespace domino_sim {

/** Everything that a transaction writes is derived from this. */
struct TransactionPlan {
    SuperblockState before;
    SuperblockState after;
    std::vector<std::uint32_t> pages;  // in writing order, including the superblock
};

/** The plan depends only on the seed and the preceding superblock. */
TransactionPlan planTransaction(const SuperblockState& before, std::uint64_t seed);

/** Observes a transaction from inside its lock. */
class TransactionObserver {
public:
    virtual ~TransactionObserver() = default;
    virtual void begin(const TransactionPlan& plan) = 0;
    virtual void pageWritten(std::size_t pagesWritten) = 0;
    virtual void end(const TransactionPlan& plan) = 0;
};

/** Runs one transaction: log record, pages with before-images, commit. Throws StatusError. */
void runTransaction(Database& database, std::uint64_t seed, TransactionObserver& observer);

/** Writes all pages of a transaction whose writer died. Call with the transaction lock held. */
void completePendingTransaction(Database& database);

}  // namespace domino_sim
