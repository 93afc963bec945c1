#pragma once
// Multi-page transactions: the writing that goes on while a backup runs.

#include <vector>

#include "database.h"

namespace domino_sim {

/** Everything a transaction will write follows from this. */
struct TransactionPlan {
    SuperblockState before;
    SuperblockState after;
    std::vector<std::uint32_t> pages;  // in writing order, the superblock among them
};

/** What a transaction does follows from its seed and the superblock before it. */
TransactionPlan planTransaction(const SuperblockState& before, std::uint64_t seed);

/** Watches a transaction from inside its lock. */
class TransactionObserver {
public:
    virtual ~TransactionObserver() = default;
    virtual void begin(const TransactionPlan& plan) = 0;
    virtual void pageWritten(std::size_t pagesWritten) = 0;
    virtual void end(const TransactionPlan& plan) = 0;
};

/** Runs one transaction: log record, pages with before-images, commit. Throws StatusError. */
void runTransaction(Database& database, std::uint64_t seed, TransactionObserver& observer);

/** Writes all pages of the transaction whose writer died. Transaction lock held. */
void completePendingTransaction(Database& database);

}  // namespace domino_sim
