// A libnotes.so that exists only to be loaded: every function asks the test that has loaded it.

#include <cstdint>
#include <cstring>

#define EXPORTED extern "C" __attribute__((visibility("default")))

/// The test's, found in the program.
extern "C" std::uint16_t answerOf(const char* function, char* text);

// A caller may pass more than a function takes.
#define ANSWERS(name)                    \
    EXPORTED std::uint16_t name() {      \
        return answerOf(#name, nullptr); \
    }
#define WRITES(name)                          \
    EXPORTED std::uint16_t name(char* text) { \
        return answerOf(#name, text);         \
    }

ANSWERS(NotesInitExtended)
ANSWERS(NotesInitThread)
ANSWERS(NotesTermThread)
ANSWERS(NSFDbOpen)
ANSWERS(NSFDbClose)
ANSWERS(NSFDbReplicaInfoGet)
ANSWERS(NSFDbGetLogInfo)
ANSWERS(NSFBackupStart)
ANSWERS(NSFBackupStop)
ANSWERS(NSFBackupEnd)
ANSWERS(NSFBackupSetHighWaterMark)
ANSWERS(NSFBackupGetChangeInfoSize)
ANSWERS(NSFBackupGetNextChangeInfo)
ANSWERS(NSFBackupStartApplyChangeInfo)
ANSWERS(NSFBackupApplyNextChangeInfo)
ANSWERS(NSFBackupEndApplyChangeInfo)
ANSWERS(NSFTakeDatabaseOffline)
ANSWERS(NSFBringDatabaseOnline)
ANSWERS(NSFRecoverDatabases)
ANSWERS(NSFGetTransLogStyle)
ANSWERS(OSLoadString)
ANSWERS(OSPathNetConstruct)
ANSWERS(OSGetEnvironmentString)
ANSWERS(OSCurrentTIMEDATE)
WRITES(OSGetDataDirectory)
#ifndef BROKEN
ANSWERS(NotesTerm)
ANSWERS(OSTranslate)
#endif
#ifndef OLD
ANSWERS(NSFDbModifiedTime)
WRITES(SECKFMGetUserName)
#endif
