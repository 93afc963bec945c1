#pragma once
// 32-bit handles, never 0. Each kind has its own number range, and a number is not reused soon.

#include <functional>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <utility>
#include <vector>

#include "types.h"

namespace domino_sim {

enum class HandleKind : std::uint32_t { database, backupContext, applyContext, memory };

template <typename Object>
class HandleTable {
public:
    explicit HandleTable(HandleKind kind) : kind_(static_cast<std::uint32_t>(kind)) {}

    Handle add(std::shared_ptr<Object> object) {
        const std::unique_lock lock(mutex_);
        std::uint32_t index = 0;
        if (free_.empty()) {
            index = static_cast<std::uint32_t>(entries_.size());
            entries_.emplace_back();
        } else {
            index = free_.back();
            free_.pop_back();
        }
        Entry& entry = entries_[index];
        entry.generation = entry.generation % kMaxGeneration + 1;
        entry.object = std::move(object);
        return handleOf(index);
    }

    std::shared_ptr<Object> find(Handle handle) const {
        const std::shared_lock lock(mutex_);
        const Entry* entry = entryOf(handle);
        return entry == nullptr ? nullptr : entry->object;
    }

    std::shared_ptr<Object> remove(Handle handle) {
        const std::unique_lock lock(mutex_);
        const Entry* entry = entryOf(handle);
        if (entry == nullptr || entry->object == nullptr) {
            return nullptr;
        }
        const std::uint32_t index = (handle >> kIndexShift) & kIndexMask;
        free_.push_back(index);
        return std::move(entries_[index].object);
    }

    std::vector<std::pair<Handle, std::shared_ptr<Object>>> all() const {
        const std::shared_lock lock(mutex_);
        std::vector<std::pair<Handle, std::shared_ptr<Object>>> result;
        for (std::uint32_t index = 0; index < entries_.size(); ++index) {
            if (entries_[index].object != nullptr) {
                result.emplace_back(handleOf(index), entries_[index].object);
            }
        }
        return result;
    }

private:
    struct Entry {
        std::shared_ptr<Object> object;
        std::uint32_t generation = 0;
    };

    static constexpr std::uint32_t kIndexShift = 2;
    static constexpr std::uint32_t kIndexMask = (1u << 20) - 1;
    static constexpr std::uint32_t kGenerationShift = 22;
    static constexpr std::uint32_t kMaxGeneration = 1023;

    Handle handleOf(std::uint32_t index) const {
        return (entries_[index].generation << kGenerationShift) | (index << kIndexShift) | kind_;
    }

    const Entry* entryOf(Handle handle) const {
        const std::uint32_t index = (handle >> kIndexShift) & kIndexMask;
        const bool isOurs = (handle & 3) == kind_ && index < entries_.size() &&
                            entries_[index].generation == handle >> kGenerationShift;
        return isOurs ? &entries_[index] : nullptr;
    }

    std::uint32_t kind_;
    mutable std::shared_mutex mutex_;
    std::vector<Entry> entries_;
    std::vector<std::uint32_t> free_;
};

}  // namespace domino_sim
