// Rules for initialisation, threads and handles, and the undefined bits above a STATUS.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>

#include "domino.h"
#include "harness.h"

namespace {

// The same function for a caller that uses the whole register.
using WholeRegister = std::uint64_t (*)(std::uint64_t db);

std::string stats() {
    return simOutput("stats --ini %s/notes.ini", dataDirectory());
}

void beforeInitialisation() {
    DHANDLE db = 0;
    CHECK_STATUS(NSFDbOpen("names.nsf", &db), 0x0217);
    char text[64];
    CHECK(OSLoadString(nullptr, 0x0103, text, sizeof text) == 0);

    char program[] = "test";
    char missing[] = "=/nonexistent/notes.ini";
    char* arguments[] = {program, missing};
    CHECK_STATUS(NotesInitExtended(2, arguments), 0x01A5);
    setEnvironment("PATH", "/nonexistent");
    CHECK_STATUS(NotesInitExtended(1, arguments), 0x01A5);
    if (isRefusedUser()) {
        const std::string ini = "=" + std::string(dataDirectory()) + "/notes.ini";
        char* named[] = {program, const_cast<char*>(ini.c_str())};
        CHECK_STATUS(NotesInitExtended(2, named), 0x01ED);  // SIM_ALLOW_ROOT is not set yet
    }
}

void otherThreads(DHANDLE mine) {
    std::thread([mine] {
        DHANDLE db = 0;
        CHECK_STATUS(NSFDbOpen("names.nsf", &db), 0x0217);  // without NotesInitThread
        CHECK_OK(NotesInitThread());
        char path[4096];
        CHECK_STATUS(NSFDbPathGet(mine, nullptr, path), 0x0217);
        CHECK_STATUS(NSFDbClose(mine), 0x02CF);
        DHANDLE twin = 0;
        CHECK_OK(NSFDbReopen(mine, &twin));
        CHECK_OK(NSFDbPathGet(twin, nullptr, path));
        CHECK_OK(NSFDbClose(twin));
        NotesTermThread();
    }).join();
}

void contextsOfOthers(DHANDLE mine) {
    DHANDLE context = 0;
    DHANDLE second = 0;
    DWORD low = 0;
    DWORD high = 0;
    CHECK_OK(NSFBackupStart(mine, 0, &context, &low, &high));
    CHECK_OK(NSFDbReopen(mine, &second));
    CHECK_STATUS(NSFBackupStart(second, 0, &context, &low, &high), 0x0EA4);
    CHECK_STATUS(NSFBackupStop(second, context), 0x0EA5);  // another handle of the same database
    CHECK_OK(NSFDbClose(second));
    CHECK_STATUS(NSFBackupGetChangeInfoSize(mine, context, 0, &low, &high), 0x0EA5);  // before the stop
    CHECK_STATUS(NSFBackupStop(context, mine), 0x0217);                               // arguments swapped
    CHECK_OK(NSFBackupStop(mine, context));
    CHECK_OK(NSFBackupEnd(mine, context, 0));
    CHECK_STATUS(NSFBackupEnd(mine, context, 0), 0x0EA5);
    CHECK_STATUS(NSFBackupStart(mine, 1, &context, &low, &high), 0x0208);  // reserved flags
}

void registers(DHANDLE mine) {
    const auto close = reinterpret_cast<WholeRegister>(reinterpret_cast<void (*)()>(&NSFDbClose));
    DHANDLE db = 0;
    CHECK_OK(NSFDbReopen(mine, &db));
    const std::uint64_t answer = close(0xABCDEF0100000000u | db);  // bits above a 32-bit handle are ignored
    CHECK((answer & 0xffff) == 0);
    CHECK(answer >> 16 != 0);
    CHECK((close(db) & 0xffff) == 0x0217);  // it is closed
}

}  // namespace

int main() {
    simulationCreate("--databases 3 --log none");
    const std::string path = std::getenv("PATH");
    beforeInitialisation();
    setEnvironment("PATH", path.c_str());
    simulationInit();
    char program[] = "test";
    char* arguments[] = {program};
    CHECK_STATUS(NotesInitExtended(1, arguments), 0x019F);
    DHANDLE mine = 0;
    CHECK_OK(NSFDbOpen("names", &mine));  // the extension may be left out
    otherThreads(mine);
    contextsOfOthers(mine);
    registers(mine);
    const std::string before = stats();
    CHECK(before.find("\"callsWithoutInitThread\":1,") != std::string::npos);
    CHECK(before.find("\"foreignThreadHandles\":2,") != std::string::npos);
    CHECK(before.find("\"unknownHandles\":2,") != std::string::npos);
    // One handle is left open, and one thread ends without NotesTermThread.
    std::thread([] { CHECK_OK(NotesInitThread()); }).join();
    DHANDLE memory = 0;
    CHECK_OK(OSMemAlloc(0, 10, &memory));
    NotesTerm();
    CHECK_STATUS(NSFDbClose(mine), 0x0217);
    const std::string after = stats();
    CHECK(after.find("\"leakedDatabaseHandles\":1,") != std::string::npos);
    CHECK(after.find("\"leakedMemoryHandles\":1,") != std::string::npos);
    CHECK(after.find("\"threadsLeft\":1,") != std::string::npos);
    CHECK(after.find("\"crashedParticipants\":0,") != std::string::npos);
    simulationDestroy();
    return 0;
}
