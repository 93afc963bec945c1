// What vssapi.dll does with a writer, by the rules of Microsoft's compiler for virtual tables: clang follows them for
// the target for which this file is compiled. No headers: there are none for it here.

struct Id {
    unsigned long data1;
    unsigned short data2;
    unsigned short data3;
    unsigned char data4[8];
};

/** CVssWriterEx, whose pointers are of no interest here. */
class CVssWriterEx {
public:
    virtual ~CVssWriterEx() = 0;
    virtual bool OnIdentify(void*) = 0;
    virtual bool OnPrepareBackup(void*) = 0;
    virtual bool OnPrepareSnapshot() = 0;
    virtual bool OnFreeze() = 0;
    virtual bool OnThaw() = 0;
    virtual bool OnAbort() = 0;
    virtual bool OnBackupComplete(void*) = 0;
    virtual bool OnBackupShutdown(Id) = 0;
    virtual bool OnPreRestore(void*) = 0;
    virtual bool OnPostRestore(void*) = 0;
    virtual bool OnPostSnapshot(void*) = 0;
    virtual bool OnBackOffIOOnVolume(wchar_t*, Id, Id) = 0;
    virtual bool OnContinueIOOnVolume(wchar_t*, Id, Id) = 0;
    virtual bool OnVSSShutdown() = 0;
    virtual bool OnVSSApplicationStartup() = 0;
    virtual bool OnIdentifyEx(void*) = 0;
};

/** Calls every function once, in the order of the documentation, and destroys the writer at the end. */
extern "C" void callWriter(void* object, void* argument, wchar_t* volume, const Id* first, const Id* second) {
    auto* const writer = static_cast<CVssWriterEx*>(object);
    writer->OnIdentify(argument);
    writer->OnPrepareBackup(argument);
    writer->OnPrepareSnapshot();
    writer->OnFreeze();
    writer->OnThaw();
    writer->OnAbort();
    writer->OnBackupComplete(argument);
    writer->OnBackupShutdown(*first);
    writer->OnPreRestore(argument);
    writer->OnPostRestore(argument);
    writer->OnPostSnapshot(argument);
    writer->OnBackOffIOOnVolume(volume, *first, *second);
    writer->OnContinueIOOnVolume(volume, *second, *first);
    writer->OnVSSShutdown();
    writer->OnVSSApplicationStartup();
    writer->OnIdentifyEx(argument);
    delete writer;
}
