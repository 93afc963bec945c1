#include "harness.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "domino.h"

static char directory[256];
static char data[300];
static FILE* toServer;
static FILE* fromServer;
static pid_t serverPid;

static const char* tool(void) {
    const char* path = getenv("DOMINO_SIM");
    CHECK(path != NULL);
    return path;
}

void checkAt(const char* file, int line, const char* text, int isTrue) {
    if (!isTrue) {
        fprintf(stderr, "%s:%d: %s is false\n", file, line, text);
        if (serverPid != 0) {
            kill(serverPid, SIGKILL);
        }
        exit(1);
    }
}

void checkStatusAt(const char* file, int line, const char* text, uint16_t status, uint16_t expected) {
    if (status != expected) {
        fprintf(stderr, "%s:%d: %s gave 0x%04X, not 0x%04X\n", file, line, text, status, expected);
        checkAt(file, line, text, 0);
    }
}

const char* testDirectory(void) {
    return directory;
}

const char* dataDirectory(void) {
    return data;
}

static int runShell(const char* command) {
    const int status = system(command);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

void simulationCreate(const char* options) {
    char command[1024];
    snprintf(directory, sizeof directory, "/tmp/domino-sim-test-XXXXXX");
    CHECK(mkdtemp(directory) != NULL);
    snprintf(data, sizeof data, "%s/data", directory);
    snprintf(command, sizeof command, "%s create --data %s --program \"$Notes_ExecDirectory\" %s > %s/created.json",
             tool(), data, options, directory);
    CHECK(runShell(command) == 0);
    snprintf(command, sizeof command, "mkdir -p %s/log", directory);
    CHECK(runShell(command) == 0);
}

void simulationInit(void) {
    char program[] = "test";
    char ini[320];
    snprintf(ini, sizeof ini, "=%s/notes.ini", data);
    char* arguments[] = {program, ini};
    setenv("SIM_ALLOW_ROOT", "1", 1);
    setenv("SIM_QUIET", "1", 1);
    CHECK_OK(NotesInitExtended(2, arguments));
}

void serverStart(const char* options) {
    char command[1024];
    int in[2];
    int out[2];
    CHECK(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0);
    snprintf(command, sizeof command, "exec %s serve --ini %s/notes.ini --log %s/log --stop-with-stdin %s", tool(),
             data, directory, options);
    serverPid = fork();
    if (serverPid == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        execl("/bin/sh", "sh", "-c", command, (char*)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    toServer = fdopen(in[1], "w");
    fromServer = fdopen(out[0], "r");
    char line[1024];
    CHECK(fgets(line, sizeof line, fromServer) != NULL && strstr(line, "\"ready\":true") != NULL);
}

const char* serverAsk(const char* format, ...) {
    static char answer[65536];
    va_list arguments;
    va_start(arguments, format);
    vfprintf(toServer, format, arguments);
    va_end(arguments);
    fputc('\n', toServer);
    fflush(toServer);
    CHECK(fgets(answer, sizeof answer, fromServer) != NULL);
    if (strstr(answer, "\"ok\":true") == NULL) {
        fprintf(stderr, "%s: %s", format, answer);
        CHECK(!"the server refused");
    }
    return answer;
}

void serverStop(void) {
    int status = 0;
    fclose(toServer);
    waitpid(serverPid, &status, 0);
    fclose(fromServer);
    serverPid = 0;
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

void serverKill(void) {
    CHECK(kill(serverPid, SIGKILL) == 0);
    waitpid(serverPid, NULL, 0);
    fclose(toServer);
    fclose(fromServer);
    serverPid = 0;
}

void simulationDestroy(void) {
    char command[1024];
    if (serverPid != 0) {
        serverStop();
    }
    snprintf(command, sizeof command, "%s destroy --data %s && rm -rf %s", tool(), data, directory);
    CHECK(runShell(command) == 0);
}

static int runTool(const char* head, const char* format, va_list arguments, const char* tail) {
    char rest[8192];
    char command[9216];
    vsnprintf(rest, sizeof rest, format, arguments);
    snprintf(command, sizeof command, "%s %s %s %s", tool(), head, rest, tail);
    return runShell(command);
}

int verify(const char* format, ...) {
    char head[512];
    snprintf(head, sizeof head, "verify --log %s/log", directory);
    va_list arguments;
    va_start(arguments, format);
    const int result = runTool(head, format, arguments, "");
    va_end(arguments);
    return result;
}

int simTool(const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    const int result = runTool("", format, arguments, "");
    va_end(arguments);
    return result;
}

const char* simOutput(const char* format, ...) {
    static char output[1 << 20];
    char path[300];
    char tail[320];
    snprintf(path, sizeof path, "%s/output", directory);
    snprintf(tail, sizeof tail, "> %s", path);
    va_list arguments;
    va_start(arguments, format);
    CHECK(runTool("", format, arguments, tail) == 0);
    va_end(arguments);
    FILE* file = fopen(path, "r");
    CHECK(file != NULL);
    output[fread(output, 1, sizeof output - 1, file)] = 0;
    fclose(file);
    return output;
}

void startBackup(const char* name, uint32_t* db, uint32_t* context, uint32_t* size) {
    DWORD high = 0;
    CHECK_OK(NSFDbOpen(name, db));
    CHECK_OK(NSFBackupStart(*db, 0, context, size, &high));
    CHECK(high == 0);
}

void finishBackup(uint32_t db, uint32_t context, uint32_t size, const char* copy) {
    char path[4096];
    char piece[32768];
    char copyName[4096];
    DWORD low = 0;
    DWORD high = 0;
    DHANDLE apply = 0;
    snprintf(copyName, sizeof copyName, "%s", copy);
    CHECK_OK(NSFDbPathGet(db, NULL, path));
    copyFile(path, copy, size, NULL, NULL);
    CHECK_OK(NSFBackupStop(db, context));
    CHECK_OK(NSFBackupGetChangeInfoSize(db, context, 0, &low, &high));
    CHECK_OK(NSFBackupStartApplyChangeInfo(&apply, copyName, 0, low, high));
    for (DWORD filled = 1; filled != 0;) {
        CHECK_OK(NSFBackupGetNextChangeInfo(db, context, 0, piece, sizeof piece, &filled));
        CHECK_OK(NSFBackupApplyNextChangeInfo(apply, 0, piece, filled));
    }
    CHECK_OK(NSFBackupEndApplyChangeInfo(apply, 0));
    CHECK_OK(NSFBackupEnd(db, context, 0));
    CHECK_OK(NSFDbClose(db));
}

int64_t monotonicNs(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void copyFile(const char* from, const char* to, uint64_t size, void (*between)(uint64_t copied, void* parameter),
              void* parameter) {
    char block[32768];
    FILE* in = fopen(from, "rb");
    FILE* out = fopen(to, "wb");
    CHECK(in != NULL && out != NULL);
    setvbuf(in, NULL, _IONBF, 0);
    for (uint64_t done = 0; done < size;) {
        const size_t wanted = size - done < sizeof block ? (size_t)(size - done) : sizeof block;
        CHECK(fread(block, 1, wanted, in) == wanted);
        CHECK(fwrite(block, 1, wanted, out) == wanted);
        done += wanted;
        if (between != NULL) {
            between(done, parameter);
        }
    }
    fclose(in);
    CHECK(fclose(out) == 0);
}
