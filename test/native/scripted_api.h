#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <deque>
#include <functional>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "check.h"
#include "domino/c_api.h"
#include "system/failure.h"

/// A Domino C API that answers as a test tells it to and records what it was asked. It knows no rules: fake_domino.h
/// does, one layer above.
namespace scripted {

using namespace domino_vss;
using namespace domino_vss::domino;

/// What the functions answer with success.
constexpr DBHANDLE kHandle = 0x71;
constexpr DHANDLE kContext = 0x92;
/// The upper bits say "remote" and "displayed": nobody may mistake them for a part of the number.
constexpr STATUS kFlags = 0xC000;

class Script {
public:
    /// The next statuses of a function, one for each call; after them it succeeds.
    std::map<std::string, std::deque<STATUS>> answers;
    /// Called with each call of the function, before it answers.
    std::map<std::string, std::function<void()>> during;
    std::vector<std::string> calls;
    /// The outputs of calls that succeed.
    TIMEDATE replicaId{{0x11, 0x12}};
    BOOL logged = 1;
    UNID logId{{{1, 2}}, {{3, 4}}};
    DWORD low = 2;
    DWORD high = 1;
    std::string text;  // of OSLoadString, OSTranslate, paths
    WORD failingIndex = 0;
    std::function<STATUS(LOGRESTORECALLBACKFUNCTION)> recover;
    std::string recoverPath;  // TRANSLOG_RECOVER_PATH of notes.ini
    bool translates = true;
    int openHandles = 0;
    int backups = 0;

    STATUS answer(const std::string& function, const std::string& arguments = "") {
        calls.push_back(arguments.empty() ? function : function + " " + arguments);
        if (const auto hook = during.find(function); hook != during.end()) hook->second();
        std::deque<STATUS>& next = answers[function];
        if (next.empty()) return 0;
        const STATUS status = next.front();
        next.pop_front();
        return status;
    }
    [[nodiscard]] std::size_t count(std::string_view call) const {
        return static_cast<std::size_t>(std::ranges::count_if(
            calls, [&](const std::string& one) { return one == call || one.starts_with(std::string(call) + " "); }));
    }
};

inline Script& script() {
    static Script instance;
    return instance;
}

inline std::string words(std::initializer_list<std::uint64_t> numbers) {
    std::string text;
    for (const std::uint64_t number : numbers) text += (text.empty() ? "" : " ") + std::to_string(number);
    return text;
}

/// All functions; a test may take some out.
inline Api api() {
    Api api{};
    api.NSFDbOpen = [](const char* path, DBHANDLE* handle) -> STATUS {
        const STATUS status = script().answer("NSFDbOpen", path);
        if (status != 0) return status;
        ++script().openHandles;
        *handle = kHandle;
        return 0;
    };
    api.NSFDbClose = [](DBHANDLE handle) -> STATUS {
        CHECK(handle == kHandle);
        --script().openHandles;
        return script().answer("NSFDbClose");
    };
    api.NSFDbReplicaInfoGet = [](DBHANDLE /*handle*/, DBREPLICAINFO* info) -> STATUS {
        info->ID = script().replicaId;
        return script().answer("NSFDbReplicaInfoGet");
    };
    api.NSFDbModifiedTime = [](DBHANDLE /*handle*/, TIMEDATE* data, TIMEDATE* nonData) -> STATUS {
        *data = {{5, 6}};
        *nonData = {{7, 8}};
        return script().answer("NSFDbModifiedTime");
    };
    api.NSFDbGetLogInfo = [](DBHANDLE /*handle*/, DWORD /*flags*/, BOOL* logged, UNID* log, UNID* dbiid,
                             DWORD* extent) -> STATUS {
        *logged = script().logged;
        *log = script().logId;
        *dbiid = {{{9, 9}}, {{9, 9}}};
        *extent = 77;
        return script().answer("NSFDbGetLogInfo");
    };
    api.NSFBackupStart = [](DBHANDLE /*handle*/, DWORD /*flags*/, DHANDLE* context, DWORD* low, DWORD* high) -> STATUS {
        *context = kContext;
        *low = script().low;
        *high = script().high;
        const STATUS status = script().answer("NSFBackupStart");
        if (status == 0) ++script().backups;
        return status;
    };
    api.NSFBackupStop = [](DBHANDLE /*handle*/, DHANDLE context) -> STATUS {
        return script().answer("NSFBackupStop", words({context}));
    };
    api.NSFBackupEnd = [](DBHANDLE /*handle*/, DHANDLE context, DWORD options) -> STATUS {
        const STATUS status = script().answer("NSFBackupEnd", words({context, options}));
        if (status == 0 && context == kContext) --script().backups;
        return status;
    };
    api.NSFBackupSetHighWaterMark = [](DBHANDLE /*handle*/, DHANDLE context, DWORD low, DWORD high) -> STATUS {
        return script().answer("NSFBackupSetHighWaterMark", words({context, low, high}));
    };
    api.NSFBackupGetChangeInfoSize = [](DBHANDLE /*handle*/, DHANDLE context, DWORD /*flags*/, DWORD* low,
                                        DWORD* high) -> STATUS {
        *low = script().low;
        *high = script().high;
        return script().answer("NSFBackupGetChangeInfoSize", words({context}));
    };
    api.NSFBackupGetNextChangeInfo = [](DBHANDLE /*handle*/, DHANDLE context, DWORD /*flags*/, char* buffer,
                                        DWORD bytes, DWORD* filled) -> STATUS {
        std::memset(buffer, 'c', bytes);
        *filled = bytes;
        return script().answer("NSFBackupGetNextChangeInfo", words({context}));
    };
    api.NSFBackupStartApplyChangeInfo = [](DHANDLE* context, char* copy, DWORD /*flags*/, DWORD low,
                                           DWORD high) -> STATUS {
        *context = kContext;
        return script().answer("NSFBackupStartApplyChangeInfo", copy + (" " + words({low, high})));
    };
    api.NSFBackupApplyNextChangeInfo = [](DHANDLE context, DWORD /*flags*/, char* piece, DWORD bytes) -> STATUS {
        CHECK(context == kContext);
        return script().answer("NSFBackupApplyNextChangeInfo", std::string(piece, bytes));
    };
    api.NSFBackupEndApplyChangeInfo = [](DHANDLE context, DWORD flags) -> STATUS {
        return script().answer("NSFBackupEndApplyChangeInfo", words({context, flags}));
    };
    api.NSFTakeDatabaseOffline = [](const char* path, DWORD wait, DWORD options) -> STATUS {
        return script().answer("NSFTakeDatabaseOffline", path + (" " + words({wait, options})));
    };
    api.NSFBringDatabaseOnline = [](const char* path, DWORD /*options*/) -> STATUS {
        return script().answer("NSFBringDatabaseOnline", path);
    };
    api.NSFRecoverDatabases = [](const char* names, LOGRESTORECALLBACKFUNCTION bring, DWORD flags, WORD* failing,
                                 TIMEDATE* reached) -> STATUS {
        std::string all;
        for (const char* name = names; *name != '\0'; name += std::strlen(name) + 1) all += std::string(name) + ",";
        *failing = script().failingIndex;
        const STATUS status = script().answer("NSFRecoverDatabases", all + words({flags, reached->Innards[0]}));
        reached->Innards[0] = 4711;
        return script().recover ? script().recover(bring) : status;
    };
    api.OSLoadString = [](HMODULE /*module*/, STATUS /*code*/, char* buffer, WORD /*bytes*/) -> WORD {
        std::memcpy(buffer, script().text.data(), script().text.size());
        return static_cast<WORD>(script().text.size());
    };
    api.OSTranslate = [](WORD mode, const char* in, WORD inBytes, char* out, WORD /*outBytes*/) -> WORD {
        static_cast<void>(script().answer("OSTranslate", words({mode})));
        if (!script().translates) return 0;
        std::memcpy(out, in, inBytes);
        return inBytes;
    };
    api.OSPathNetConstruct = [](const char* /*port*/, const char* server, const char* file, char* path) -> STATUS {
        std::strcpy(path, (std::string(server) + "!!" + file).c_str());
        return script().answer("OSPathNetConstruct");
    };
    api.OSGetEnvironmentString = [](const char* name, char* value, WORD /*bytes*/) -> BOOL {
        CHECK(name == std::string_view("TRANSLOG_RECOVER_PATH"));
        std::strcpy(value, script().recoverPath.c_str());
        return script().recoverPath.empty() ? 0 : 1;
    };
    api.OSCurrentTIMEDATE = [](TIMEDATE* now) { *now = {{21, 22}}; };
    api.NSFBeginArchivingLogs = []() -> STATUS { return script().answer("NSFBeginArchivingLogs"); };
    api.NSFEndArchivingLogs = []() -> STATUS { return script().answer("NSFEndArchivingLogs"); };
    api.NSFGetFirstLogToArchive = [](UNID* log, DWORD* number, char* path) -> STATUS {
        *log = script().logId;
        *number = 3;
        std::strcpy(path, script().text.c_str());
        return script().answer("NSFGetFirstLogToArchive");
    };
    api.NSFGetNextLogToArchive = [](UNID* /*log*/, DWORD* number, char* path) -> STATUS {
        *number = 4;
        std::strcpy(path, script().text.c_str());
        return script().answer("NSFGetNextLogToArchive");
    };
    api.NSFDoneArchivingLog = [](UNID* /*log*/, DWORD* number) -> STATUS {
        return script().answer("NSFDoneArchivingLog", words({*number}));
    };
    api.NSFDbCreate = [](const char* path, WORD /*kind*/, BOOL /*force*/) -> STATUS {
        return script().answer("NSFDbCreate", path);
    };
    api.NSFDbDelete = [](const char* path) -> STATUS { return script().answer("NSFDbDelete", path); };
    api.NSFDbInfoSet = [](DBHANDLE /*handle*/, char* title) -> STATUS {
        return script().answer("NSFDbInfoSet", title);
    };
    return api;
}

/// The failure that the work ends with, if it does.
inline std::optional<Failure> failureOf(const std::function<void()>& work) {
    try {
        work();
    } catch (const Failure& failure) {
        return failure;
    }
    return std::nullopt;
}

/// A body of a case that begins with an empty script.
inline std::function<void()> fresh(void (*body)()) {
    return [body] {
        script() = {};
        body();
    };
}

}  // namespace scripted
