// Databases through a server, statistics and console, times, and a writer that dies in the middle of a transaction.
#include <cstring>
#include <string>

#include "domino.h"
#include "harness.h"

extern "C" {
STATUS NSFGetServerStats(char* server, char* facility, char* name, DHANDLE* table, DWORD* size);
STATUS NSFRemoteConsole(char* server, char* command, DHANDLE* response);
STATUS SECKFMGetUserName(char* name);
STATUS ConvertTIMEDATEToText(void* intl, void* format, const TIMEDATE* time, char* text, WORD size, WORD* length);
BOOL32 TimeGMToLocal(TIME* time);
BOOL32 TimeLocalToGM(TIME* time);
int TimeDateCompare(const TIMEDATE* left, const TIMEDATE* right);
}

namespace {

char serverName[] = "sim/TEST";  // abbreviated, and in a different case
char empty[] = "";

std::string title(DHANDLE db) {
    char info[128];
    char text[128];
    CHECK_OK(NSFDbInfoGet(db, info));
    NSFDbInfoParse(info, 0, text, sizeof text);
    return text;
}

void setTitle(DHANDLE db, const char* text) {
    char info[128];
    CHECK_OK(NSFDbInfoGet(db, info));
    NSFDbInfoModify(info, 0, text);
    CHECK_OK(NSFDbInfoSet(db, info));
}

void remoteDatabase() {
    char path[256];
    DHANDLE local = 0;
    DHANDLE remote = 0;
    DHANDLE context = 0;
    DWORD low = 0;
    DWORD high = 0;
    CHECK_OK(OSPathNetConstruct(nullptr, serverName, "mail/db000000.nsf", path));
    CHECK_OK(NSFDbOpen(path, &remote));
    CHECK_STATUS(NSFBackupStart(remote, 0, &context, &low, &high), 0x0220);
    CHECK_STATUS(NSFDbOpen("sim/TEST!!nothing.nsf", &local), 0x0103);
    CHECK_STATUS(NSFDbOpen("Other/Test!!mail/db000000.nsf", &local), 0x0807);
    CHECK_OK(NSFDbOpen("mail/db000000.nsf", &local));
    setTitle(remote, "Changed by the server");
    CHECK(title(local) == "Changed by the server");
    CHECK(title(remote) == title(local));
    CHECK_OK(NSFDbClose(remote));

    // The header page is part of a backup like all others.
    CHECK_OK(NSFBackupStart(local, 0, &context, &low, &high));
    setTitle(local, "Changed during the backup");
    CHECK_OK(NSFBackupStop(local, context));
    CHECK_OK(NSFBackupGetChangeInfoSize(local, context, 0, &low, &high));
    CHECK(low > 4096);
    CHECK_OK(NSFBackupEnd(local, context, 0));
    CHECK_OK(NSFDbClose(local));

    CHECK_STATUS(NSFDbCreate("mail/db000000.nsf", 0, 0), 0x0104);
    CHECK_OK(NSFDbCreate("sim/TEST!!mail/new", 0, 0));
    CHECK_OK(NSFDbOpen("mail/new.nsf", &local));
    CHECK_STATUS(NSFDbDelete("mail/new.nsf"), 0x13EA);
    CHECK_OK(NSFDbClose(local));
    CHECK_OK(NSFDbDelete("sim/TEST!!mail/new.nsf"));
    CHECK_STATUS(NSFDbOpen("mail/new.nsf", &local), 0x0103);
}

void systemDatabasesAreInUse() {
    const std::string path = std::string(dataDirectory()) + "/names.nsf";
    CHECK_OK(NSFDbCreate("names.nsf", 0, 0));
    serverStop();
    serverStart("--threads 0");
    CHECK_STATUS(NSFTakeDatabaseOffline(path.c_str(), 10, OFFLINE_NODELETE), 0x13EA);
}

void statisticsAndConsole() {
    DHANDLE memory = 0;
    DWORD size = 0;
    char facility[] = "Server";
    char name[256];
    char command[] = "show server";
    CHECK_OK(SECKFMGetUserName(name));
    CHECK(std::string(name) == "CN=Sim/O=Test");
    CHECK_OK(NSFGetServerStats(serverName, facility, empty, &memory, &size));
    const std::string table(static_cast<const char*>(OSLockObject(memory)), size);
    CHECK(table.find("Server.Name\tCN=Sim/O=Test\n") != std::string::npos &&
          table.find("Database.") == std::string::npos);
    CHECK(OSUnlockObject(memory) == 1);
    CHECK(OSUnlockObject(memory) == 0);
    CHECK_OK(OSMemFree(memory));
    CHECK_STATUS(OSMemFree(memory), 0x0217);
    CHECK_OK(NSFRemoteConsole(serverName, command, &memory));
    CHECK(std::strstr(static_cast<const char*>(OSLockObject(memory)), command) != nullptr);
    OSUnlockObject(memory);
    CHECK_OK(OSMemFree(memory));
}

void times() {
    TIME time{};
    time.GM = {{0x006CDCC0, 0x852563FC}};  // 10 December 1996 19:49:04 GMT, as documented
    CHECK(TimeGMToLocal(&time) == 0);
    CHECK(time.year == 1996 && time.month == 12 && time.day == 10 && time.hour == 19 && time.minute == 49);
    CHECK(time.second == 4 && time.weekday == 3);
    time.zone = 5;
    CHECK(TimeLocalToGM(&time) == 0);
    CHECK((time.GM.Innards[1] >> 24) == 0x05 && (time.GM.Innards[0] / 360000) == 0);  // 0:49 of the next day
    time.month = 13;
    CHECK(TimeLocalToGM(&time) != 0);
    const TIMEDATE documented{{0x006CDCC0, 0x852563FC}};
    CHECK(TimeDateCompare(&documented, &time.GM) == -1 && TimeDateCompare(&documented, &documented) == 0);
    char text[81];
    WORD length = 0;
    CHECK_OK(ConvertTIMEDATEToText(nullptr, nullptr, &documented, text, 80, &length));
    CHECK(std::string(text, length) == "12/10/1996 07:49:04 PM GMT");
}

void writerDies() {
    const std::string name = "mail/db000001.nsf";
    const std::string path = std::string(dataDirectory()) + "/" + name;
    const std::string copy = std::string(testDirectory()) + "/copy.nsf";
    serverAsk("hold %s 2", name.c_str());
    serverKill();
    // The backup does not wait: it completes the dead writer's transaction and starts.
    DHANDLE db = 0;
    DHANDLE context = 0;
    DWORD low = 0;
    DWORD high = 0;
    CHECK_OK(NSFDbOpen(name.c_str(), &db));
    CHECK_OK(NSFBackupStart(db, 0, &context, &low, &high));
    copyFile(path.c_str(), copy.c_str(), low, nullptr, nullptr);
    CHECK_OK(NSFBackupStop(db, context));
    CHECK_OK(NSFBackupEnd(db, context, 0));
    CHECK_OK(NSFDbClose(db));
    CHECK(verify("--sequence 1 %s", copy.c_str()) == 0);
    CHECK_STATUS(NSFDbOpen("sim/TEST!!mail/db000000.nsf", &db), 0x0807);  // the server no longer answers
}

}  // namespace

int main() {
    simulationCreate("--databases 2 --plain-names");
    serverStart("--threads 0");
    simulationInit();
    remoteDatabase();
    systemDatabasesAreInUse();
    statisticsAndConsole();
    times();
    writerDies();
    NotesTerm();
    simulationDestroy();
    return 0;
}
