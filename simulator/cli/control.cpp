// Commands to inspect and change a partition: settings, faults, statistics.

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "arguments.h"
#include "backup.h"
#include "commands.h"
#include "faults.h"
#include "json.h"
#include "lmbcs.h"
#include "offline.h"
#include "translog.h"
#include "utf8_path.h"

namespace domino_sim::cli {

namespace {

Json accountingJson(const Accounting& accounting) {
    return Json::object()
        .add("crashedParticipants", accounting.crashedParticipants.load())
        .add("threadsLeft", accounting.threadsLeft.load())
        .add("leakedDatabaseHandles", accounting.leakedDatabaseHandles.load())
        .add("leakedBackupContexts", accounting.leakedBackupContexts.load())
        .add("leakedApplyContexts", accounting.leakedApplyContexts.load())
        .add("leakedMemoryHandles", accounting.leakedMemoryHandles.load())
        .add("callsWithoutInitThread", accounting.callsOnForeignThread.load())
        .add("foreignThreadHandles", accounting.foreignThreadHandles.load())
        .add("unknownHandles", accounting.unknownHandles.load())
        .add("backupsCompleted", accounting.backupsCompleted.load())
        .add("backupsAborted", accounting.backupsAborted.load())
        .add("backupsEndedUndrained", accounting.backupsEndedUndrained.load())
        .add("userWritesFailed", accounting.userWritesFailed.load());
}

Json inBackupJson(Partition& partition) {
    Json list = Json::array();
    partition.forEachSlot([&](Slot& slot) {
        const platform::RobustLock lock(slot.state);
        if (slot.backup.state == BackupState::none) {
            return;
        }
        const ProcessEntry& owner = partition.layout().processes[slot.backup.owner & 0xffff];
        list.append(Json::object()
                        .add("file", slot.path)
                        .add("state", slot.backup.state == BackupState::recording ? "recording" : "stopped")
                        .add("startBytes", slot.backup.startBytes)
                        .add("highWaterMarkBytes", slot.backup.highWaterMark.load())
                        .add("changeBytes", slot.backup.changeBytes)
                        .add("startedNs", slot.backup.startedNs)
                        .add("abortedWith", slot.backup.abortedWith)
                        .add("ownerPid", owner.identity.pid)
                        .add("ownerAlive", partition.isAlive(slot.backup.owner)));
    });
    return list;
}

Json openJson(Partition& partition) {
    Json list = Json::array();
    partition.forEachSlot([&](Slot& slot) {
        const platform::RobustLock lock(slot.state);
        if (const std::uint32_t handles = handlesInUse(partition, slot); handles != 0) {
            list.append(Json::object().add("file", slot.path).add("handles", handles));
        }
    });
    return list;
}

Json processesJson(Partition& partition) {
    static constexpr const char* kRoles[] = {"none", "api", "server", "writer"};
    Json list = Json::array();
    for (const ProcessEntry& entry : partition.layout().processes) {
        if (entry.ref != 0 && entry.ref != partition.self()) {
            list.append(Json::object()
                            .add("pid", entry.identity.pid)
                            .add("role", kRoles[static_cast<std::size_t>(entry.role)]));
        }
    }
    return list;
}

Json faultsJson(const PartitionLayout& shared) {
    Json list = Json::array();
    for (const Fault& fault : shared.faults) {
        if (fault.active != 0) {
            list.append(Json::object()
                            .add("call", kFunctionNames[fault.function])
                            .add("glob", fault.glob)
                            .add("seen", fault.seen.load())
                            .add("fired", fault.fired.load()));
        }
    }
    return list;
}

std::unique_ptr<Environment> controlEnvironment(const Arguments& arguments) {
    return environmentOf(arguments.require("ini"), ProcessRole::writer);
}

}  // namespace

std::unique_ptr<Environment> environmentOf(const std::string& iniPath, ProcessRole role) {
    const std::string full = pathOf(iniPath).has_parent_path() ? iniPath : "./" + iniPath;
    const std::vector<std::string> arguments{"domino-sim", "=" + full};
    try {
        return openEnvironment(arguments, role);
    } catch (const StatusError& error) {
        if (error.code() == kNoNotesIni) {
            throw UsageError("cannot read " + iniPath);
        }
        if (error.code() == kSetupNotDone) {
            throw UsageError(iniPath + " names no existing data directory (Directory=)");
        }
        throw;
    }
}

std::string statsText(Environment& environment) {
    Partition& partition = *environment.partition;
    partition.sweep();
    const PartitionLayout& shared = partition.layout();
    Json calls = Json::object();
    for (std::size_t i = 0; i < kFunctionCount; ++i) {
        if (const std::uint64_t count = shared.calls[i]; count != 0) {
            calls.add(kFunctionNames[i], count);
        }
    }
    return Json::object()
        .add("serverRunning", partition.isServerRunning())
        .add("calls", calls)
        .add("inBackup", inBackupJson(partition))
        .add("openDatabases", openJson(partition))
        .add("offlineDatabases", shared.offlineCount.load())
        .add("processes", processesJson(partition))
        .add("accounting", accountingJson(partition.accounting()))
        .add("faults", faultsJson(shared))
        .text();
}

void clearServerState(Environment& environment, bool everything) {
    Partition& partition = *environment.partition;
    partition.sweep();
    partition.forEachSlot([&](Slot& slot) {
        const platform::RobustLock lock(slot.state);
        if (slot.backup.state != BackupState::none && (everything || !partition.isAlive(slot.backup.owner))) {
            std::error_code ignored;
            std::filesystem::remove(pathOf(changeFilePath(partition, slot)), ignored);
            slot.backup.state = BackupState::none;
            slot.backup.id = 0;
        }
        slot.compactingUntilNs = 0;
        slot.exclusive = 0;
    });
    if (!environment.isOn("SIM_OFFLINE_SURVIVES_RESTART"_setting)) {
        clearAllOffline(partition);
    }
    if (isServerLogged(environment)) {
        changeLog(environment, [](LogState& log) {
            log.archiver = 0;
            std::ranges::fill(log.done, 0u);  // archived extents that still exist are offered again
        });
    }
}

int setCommand(const std::vector<std::string>& words) {
    const Arguments arguments(words, {"ini"}, {});
    const auto environment = controlEnvironment(arguments);
    LiveSettings& live = environment->partition->layout().liveSettings;
    for (const std::string& word : arguments.plain()) {
        const auto equals = word.find('=');
        const auto setting = findSetting(word.substr(0, equals));
        if (equals == std::string::npos || !setting) {
            throw UsageError("no such setting: " + word);
        }
        const auto index = static_cast<std::size_t>(*setting);
        const std::string text = word.substr(equals + 1);
        if (text.empty()) {
            live.isSet[index] = 0;  // back to the value each process was started with
            continue;
        }
        const auto value = parseSetting(*setting, text);
        if (!value) {
            throw UsageError("bad value: " + word);
        }
        live.value[index] = *value;
        live.isSet[index] = 1;
    }
    return 0;
}

int settingsCommand(const std::vector<std::string>&) {
    for (const SettingRow& row : kSettingRows) {
        std::string values(row.words);
        if (values.empty()) {
            char number[32];
            std::snprintf(number, sizeof number, "%g", row.defaultValue);
            values = number;
        }
        std::printf("%s=%s\n    %s\n", row.name.data(), values.c_str(), row.meaning.data());
    }
    std::printf("%s\n    %s\n", "SIM_LATENCY_<function>_US=0",
                "mean time a call of that function takes besides its work");
    return 0;
}

int faultCommand(const std::vector<std::string>& words) {
    const Arguments arguments(words, {"ini"}, {});
    const auto environment = controlEnvironment(arguments);
    for (const std::string& specification : arguments.plain()) {
        try {
            addFault(*environment->partition, specification);
        } catch (const std::invalid_argument& error) {
            throw UsageError(error.what());
        }
    }
    return 0;
}

int faultsCommand(const std::vector<std::string>& words) {
    const Arguments arguments(words, {"ini"}, {"clear"});
    const auto environment = controlEnvironment(arguments);
    if (arguments.has("clear")) {
        clearFaults(*environment->partition);
    } else {
        std::puts(faultsJson(environment->partition->layout()).text().c_str());
    }
    return 0;
}

int statsCommand(const std::vector<std::string>& words) {
    const Arguments arguments(words, {"ini"}, {"json"});
    std::puts(statsText(*controlEnvironment(arguments)).c_str());
    return 0;
}

int restartServerStateCommand(const std::vector<std::string>& words) {
    const Arguments arguments(words, {"ini"}, {});
    clearServerState(*controlEnvironment(arguments), true);
    return 0;
}

int destroyCommand(const std::vector<std::string>& words) {
    const Arguments arguments(words, {"data"}, {});
    Partition::destroy(arguments.require("data"));
    return 0;
}

/** Build step: converts the message texts from UTF-8 to LMBCS. */
int messagesCommand(const std::vector<std::string>& words) {
    const Arguments arguments(words, {}, {});
    if (arguments.plain().size() != 2) {
        throw UsageError("messages IN OUT");
    }
    std::ifstream in(pathOf(arguments.plain()[0]), std::ios::binary);
    std::ofstream out(pathOf(arguments.plain()[1]), std::ios::binary);
    for (std::string line; std::getline(in, line);) {
        out << lmbcs::fromUtf8(line) << '\n';
    }
    out.flush();
    return in.eof() && out ? 0 : 1;
}

}  // namespace domino_sim::cli
