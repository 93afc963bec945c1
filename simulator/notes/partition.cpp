#include "partition.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <span>

#include "utf8_path.h"

namespace domino_sim {

namespace fs = std::filesystem;

namespace {

constexpr ProcessRef kProcessIndexMask = 0xffff;

void initialiseLayout(void* memory) {
    // The memory is zero-filled, which initialises everything except the locks.
    auto& layout = *static_cast<PartitionLayout*>(memory);
    for (platform::RobustMutex* mutex : {&layout.indexLock, &layout.processLock, &layout.faultLock, &layout.offlineLock,
                                         &layout.logLock, &layout.recoveryLock, &layout.serialLock}) {
        mutex->initialise();
    }
}

std::uint64_t hashOf(const platform::FileIdentity& identity) {
    return mix(identity.device, identity.inode);
}

/** Resets everything except the locks. */
void resetSlot(Slot& slot, const platform::FileIdentity& identity) {
    slot.identity = identity;
    slot.startsWaiting = 0;
    slot.compactingUntilNs = 0;
    slot.exclusive = 0;
    slot.instanceId = {};
    slot.backup.state = BackupState::none;
    slot.backup.id = 0;
    slot.backup.owner = 0;
    slot.pending.active = 0;
    std::ranges::fill(slot.users, SlotUser{});
    slot.path[0] = 0;
}

}  // namespace

std::uint64_t hashOf(std::string_view text) {
    return checksumOf(std::as_bytes(std::span(text)));
}

void copyPath(char (&target)[kSharedPathBytes], const std::string& path) {
    const std::size_t length = std::min(path.size(), sizeof target - 1);
    std::memcpy(target, path.data(), length);
    target[length] = 0;
}

std::string Partition::nameFor(const std::string& dataDirectory) {
    char text[48];
    std::snprintf(text, sizeof text, "domino-sim-%016llx",
                  static_cast<unsigned long long>(
                      domino_sim::hashOf(platform::pathKey(fs::weakly_canonical(pathOf(dataDirectory)).string()))));
    return text;
}

Partition::Partition(const std::string& dataDirectory, bool separate)
    : name_(nameFor(dataDirectory)), separate_(separate) {
    // The network is shared: a process with its own memory still reaches the server through it.
    serverAddress_ = platform::serverAddress(platform::sharedMemoryDirectory() / (name_ + ".d"));
    if (separate) {
        name_ += "-separate-" + std::to_string(platform::currentProcess().pid);
    }
    directory_ = platform::sharedMemoryDirectory() / (name_ + ".d");
    fs::create_directories(directory_);
    memory_ = platform::SharedMemory::attach(name_, sizeof(PartitionLayout), initialiseLayout);
}

Partition::~Partition() {
    leave();
}

void Partition::destroy(const std::string& dataDirectory) {
    const std::string name = nameFor(dataDirectory);
    for (const fs::directory_entry& entry : fs::directory_iterator(platform::sharedMemoryDirectory())) {
        if (entry.path().filename().string().starts_with(name)) {
            std::error_code ignored;
            fs::remove_all(entry.path(), ignored);
        }
    }
}

void Partition::enroll(ProcessRole role) {
    sweep();
    PartitionLayout& shared = layout();
    const platform::RobustLock lock(shared.processLock);
    for (std::uint32_t index = 0; index < kMaxProcesses; ++index) {
        ProcessEntry& entry = shared.processes[index];
        if (entry.ref == 0) {
            entry.identity = platform::currentProcess();
            entry.role = role;
            self_ = ((shared.nextProcess.fetch_add(1) + 1) << 16) | index;
            entry.ref = self_;
            if (role == ProcessRole::server) {
                shared.server = self_;
            }
            return;
        }
    }
    throw StatusError(kOutOfMemory);
}

void Partition::leave() {
    if (self_ == 0) {
        return;
    }
    PartitionLayout& shared = layout();
    const platform::RobustLock lock(shared.processLock);
    shared.processes[self_ & kProcessIndexMask].ref = 0;
    ProcessRef server = self_;
    shared.server.compare_exchange_strong(server, 0);
    self_ = 0;
    if (separate_) {  // not shared
        std::error_code ignored;
        fs::remove(platform::sharedMemoryDirectory() / name_, ignored);
        fs::remove_all(directory_, ignored);
    }
}

bool Partition::isAlive(ProcessRef process) {
    const ProcessEntry& entry = layout().processes[process & kProcessIndexMask];
    return process != 0 && entry.ref == process && (process == self_ || platform::isAlive(entry.identity));
}

bool Partition::isServerRunning() {
    return isAlive(layout().server);
}

void Partition::sweep() {
    PartitionLayout& shared = layout();
    const platform::RobustLock lock(shared.processLock);
    for (ProcessEntry& entry : shared.processes) {
        if (entry.ref != 0 && entry.ref != self_ && !platform::isAlive(entry.identity)) {
            entry.ref = 0;
            shared.accounting.crashedParticipants.fetch_add(1);
        }
    }
}

Slot& Partition::slotOf(const platform::FileIdentity& identity) {
    PartitionLayout& shared = layout();
    const auto matches = [&](std::uint32_t number) {
        const Slot& slot = shared.slots[number - 1];
        return slot.identity.device == identity.device && slot.identity.inode == identity.inode;
    };
    const auto current = [&](Slot& slot) -> Slot& {
        if (slot.identity.generation != identity.generation) {
            const platform::RobustLock lock(slot.state);
            if (slot.identity.generation != identity.generation) {
                resetSlot(slot, identity);
            }
        }
        return slot;
    };
    std::uint32_t at = static_cast<std::uint32_t>(hashOf(identity)) % kSlotIndexSize;
    for (;; at = (at + 1) % kSlotIndexSize) {
        const std::uint32_t number = shared.slotIndex[at].load(std::memory_order_acquire);
        if (number == 0) {
            break;
        }
        if (matches(number)) {
            return current(shared.slots[number - 1]);
        }
    }
    const platform::RobustLock lock(shared.indexLock);
    for (;; at = (at + 1) % kSlotIndexSize) {  // another process may have changed it meanwhile
        const std::uint32_t number = shared.slotIndex[at].load(std::memory_order_acquire);
        if (number == 0) {
            break;
        }
        if (matches(number)) {
            return current(shared.slots[number - 1]);
        }
    }
    const std::uint32_t number = shared.slotCount;
    if (number == kMaxSlots) {
        throw StatusError(kDatabasePoolFull);
    }
    Slot& slot = shared.slots[number];
    slot.transaction.initialise();
    slot.state.initialise();
    resetSlot(slot, identity);
    shared.slotCount = number + 1;
    shared.slotIndex[at].store(number + 1, std::memory_order_release);
    return slot;
}

void Partition::forEachSlot(const std::function<void(Slot&)>& visit) {
    const std::uint32_t count = layout().slotCount;
    for (std::uint32_t number = 0; number < count; ++number) {
        visit(layout().slots[number]);
    }
}

std::uint32_t Partition::numberOf(const Slot& slot) {
    return static_cast<std::uint32_t>(&slot - layout().slots);
}

std::uint32_t handlesInUse(Partition& partition, const Slot& slot) {
    std::uint32_t count = 0;
    for (const SlotUser& user : slot.users) {
        if (user.handles != 0 && partition.isAlive(user.process)) {
            count += user.handles;
        }
    }
    return count;
}

void addHandle(Partition& partition, Slot& slot) {
    for (SlotUser& user : slot.users) {
        if (user.process == partition.self()) {
            ++user.handles;
            return;
        }
    }
    for (SlotUser& user : slot.users) {
        if (user.handles == 0) {
            user = {partition.self(), 1};
            return;
        }
    }
    for (SlotUser& user : slot.users) {
        if (!partition.isAlive(user.process)) {
            user = {partition.self(), 1};
            return;
        }
    }
    throw StatusError(kDatabasePoolFull);
}

void removeHandle(Partition& partition, Slot& slot) {
    for (SlotUser& user : slot.users) {
        if (user.process == partition.self() && user.handles != 0) {
            --user.handles;
            return;
        }
    }
}

}  // namespace domino_sim
