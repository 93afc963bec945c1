/* What the test programs share: making a data directory, running the server beside the test, checking. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "surroundings.h"

/* MinGW-w64's printf is its own, which knows %zu and PRId64; GCC checks formats by Microsoft's unless told so. */
#ifdef __MINGW_PRINTF_FORMAT
#define HARNESS_FORMAT __attribute__((format(__MINGW_PRINTF_FORMAT, 1, 2)))
#else
#define HARNESS_FORMAT __attribute__((format(printf, 1, 2)))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Makes an empty directory for this test, and a data directory in it; `options` are those of `domino-sim create`. */
void simulationCreate(const char* options);

/* Initialises the API of this process for that data directory, also in a process that was run again. */
void simulationInit(void);

/* This program once more, with `part` as its only argument: another process of the same simulation. */
int runAgain(const char* part);
/* The same beside this one, until it comes to pauseHere(). */
struct AgainProcess* startAgain(const char* part);
void pauseHere(void);
/* Lets it go on to its next pause, or to its end, whose exit code is returned. */
void continueAgain(struct AgainProcess* again);
int finishAgain(struct AgainProcess* again);

/* Starts `domino-sim serve` with further options. */
void serverStart(const char* options);
/* Sends one line and returns the answer; fails the test unless it says ok. */
const char* serverAsk(const char* format, ...) HARNESS_FORMAT;
void serverStop(void);
/* Ends it as a crash would. */
void serverKill(void);

/* Removes what the test made, and its shared memory. */
void simulationDestroy(void);

const char* testDirectory(void);
const char* dataDirectory(void);

/* Runs `domino-sim verify` with these arguments behind the log; 0 = as demanded. */
int verify(const char* format, ...) HARNESS_FORMAT;
/* Runs any `domino-sim` command, words apart by spaces; returns its exit code. */
int simTool(const char* format, ...) HARNESS_FORMAT;
/* Standard output of a `domino-sim` command. */
const char* simOutput(const char* format, ...) HARNESS_FORMAT;

/* Opens a database and puts it into backup mode. */
void startBackup(const char* name, uint32_t* db, uint32_t* context, uint32_t* size);
/* Copies it, takes it out of backup mode, applies the change info to the copy, ends, closes. */
void finishBackup(uint32_t db, uint32_t context, uint32_t size, const char* copy);

void sleepMs(unsigned ms);
/* Copies the first `size` bytes in blocks; calls `between` after each block if given. */
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
