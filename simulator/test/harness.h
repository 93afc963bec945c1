/* Shared by the test programs: creates a data directory, runs the server, checks results. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "surroundings.h"

/* MinGW-w64 has its own printf, which supports %zu and PRId64. By default, GCC checks formats against Microsoft's. */
#ifdef __MINGW_PRINTF_FORMAT
#define HARNESS_FORMAT __attribute__((format(__MINGW_PRINTF_FORMAT, 1, 2)))
#else
#define HARNESS_FORMAT __attribute__((format(printf, 1, 2)))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Creates an empty directory for this test, and a data directory in it. `options` are those of `domino-sim create`. */
void simulationCreate(const char* options);

/* Initialises the API of this process for that data directory, also in a process started by runAgain. */
void simulationInit(void);

/* Runs this program again with `part` as its only argument: another process of the same simulation. */
int runAgain(const char* part);
/* The same in parallel, until that process calls pauseHere(). */
struct AgainProcess* startAgain(const char* part);
void pauseHere(void);
/* Lets it continue to its next pause, or to its end. */
void continueAgain(struct AgainProcess* again);
int finishAgain(struct AgainProcess* again);

/* Starts `domino-sim serve` with additional options. */
void serverStart(const char* options);
/* Sends one line and returns the answer. Fails the test unless the answer is ok. */
const char* serverAsk(const char* format, ...) HARNESS_FORMAT;
void serverStop(void);
/* Kills it, like a crash. */
void serverKill(void);

/* Removes everything the test created, including its shared memory. */
void simulationDestroy(void);

const char* testDirectory(void);
const char* dataDirectory(void);

/* Runs `domino-sim verify` with the log and these arguments; 0 = as required. */
int verify(const char* format, ...) HARNESS_FORMAT;
/* Runs any `domino-sim` command, given as words separated by spaces. Returns its exit code. */
int simTool(const char* format, ...) HARNESS_FORMAT;
/* The standard output of a `domino-sim` command. */
const char* simOutput(const char* format, ...) HARNESS_FORMAT;

/* Opens a database and puts it into backup mode. */
void startBackup(const char* name, uint32_t* db, uint32_t* context, uint32_t* size);
/* Copies the database, takes it out of backup mode, applies the change information to the copy, ends the backup,
 * closes. */
void finishBackup(uint32_t db, uint32_t context, uint32_t size, const char* copy);

void sleepMs(unsigned ms);
/* Copies the first `size` bytes in blocks; calls `between`, if given, after each block. */
void copyFile(const char* from, const char* to, uint64_t size, void (*between)(uint64_t copied, void* parameter),
              void* parameter);

void checkAt(const char* file, int line, const char* text, int isTrue);
void checkStatusAt(const char* file, int line, const char* text, uint16_t status, uint16_t expected);

#define CHECK(condition) checkAt(__FILE__, __LINE__, #condition, !!(condition))
#define CHECK_STATUS(call, expected) checkStatusAt(__FILE__, __LINE__, #call, (uint16_t)((call)&0x3fff), expected)
#define CHECK_OK(call) CHECK_STATUS(call, 0)

#ifdef __cplusplus
}
#endif
