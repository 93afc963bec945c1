// The table of our writer, which g++ lays out, called by the rules of Microsoft's compiler (msvc_caller.cpp).

#include "shadow/vss/writer_table.h"

#include <string>
#include <vector>

#include "check.h"

extern "C" void callWriter(void* writer, void* argument, wchar_t* volume, const VSS_ID* first, const VSS_ID* second);

namespace {

using namespace domino_vss::vss;

constexpr VSS_ID kFirst{1, 2, 3, {4, 5, 6, 7, 8, 9, 10, 11}};
constexpr VSS_ID kSecond{12, 13, 14, {15, 16, 17, 18, 19, 20, 21, 22}};
wchar_t volume[] = L"C:\\";

/// Notes each call, and whether its arguments have arrived.
class Recorder final : public WriterTable {
public:
    std::vector<std::string> calls;
    std::byte argument{};

    void* STDMETHODCALLTYPE deletingDestructor(unsigned flags) override {
        note("deletingDestructor", flags == 1);
        return this;
    }
    bool STDMETHODCALLTYPE OnIdentify(IVssCreateWriterMetadata* metadata) override {
        return note("OnIdentify", is(metadata));
    }
    bool STDMETHODCALLTYPE OnPrepareBackup(IVssWriterComponents* components) override {
        return note("OnPrepareBackup", is(components));
    }
    bool STDMETHODCALLTYPE OnPrepareSnapshot() override { return note("OnPrepareSnapshot", true); }
    bool STDMETHODCALLTYPE OnFreeze() override { return note("OnFreeze", true); }
    bool STDMETHODCALLTYPE OnThaw() override { return note("OnThaw", true); }
    bool STDMETHODCALLTYPE OnAbort() override { return note("OnAbort", true); }
    bool STDMETHODCALLTYPE OnBackupComplete(IVssWriterComponents* components) override {
        return note("OnBackupComplete", is(components));
    }
    bool STDMETHODCALLTYPE OnBackupShutdown(VSS_ID set) override {
        return note("OnBackupShutdown", IsEqualGUID(set, kFirst));
    }
    bool STDMETHODCALLTYPE OnPreRestore(IVssWriterComponents* components) override {
        return note("OnPreRestore", is(components));
    }
    bool STDMETHODCALLTYPE OnPostRestore(IVssWriterComponents* components) override {
        return note("OnPostRestore", is(components));
    }
    bool STDMETHODCALLTYPE OnPostSnapshot(IVssWriterComponents* components) override {
        return note("OnPostSnapshot", is(components));
    }
    bool STDMETHODCALLTYPE OnBackOffIOOnVolume(wchar_t* name, VSS_ID snapshot, VSS_ID provider) override {
        return note("OnBackOffIOOnVolume",
                    name == volume && IsEqualGUID(snapshot, kFirst) && IsEqualGUID(provider, kSecond));
    }
    bool STDMETHODCALLTYPE OnContinueIOOnVolume(wchar_t* name, VSS_ID snapshot, VSS_ID provider) override {
        return note("OnContinueIOOnVolume",
                    name == volume && IsEqualGUID(snapshot, kSecond) && IsEqualGUID(provider, kFirst));
    }
    bool STDMETHODCALLTYPE OnVSSShutdown() override { return note("OnVSSShutdown", true); }
    bool STDMETHODCALLTYPE OnVSSApplicationStartup() override { return note("OnVSSApplicationStartup", true); }
    bool STDMETHODCALLTYPE OnIdentifyEx(IVssCreateWriterMetadata* metadata) override {
        return note("OnIdentifyEx", is(metadata));
    }

private:
    bool is(const void* passed) const { return passed == &argument; }
    bool note(const char* name, bool arrived) {
        calls.push_back(arrived ? name : std::string(name) + " with wrong arguments");
        return true;
    }
};

void everySlot() {
    Recorder writer;
    callWriter(&writer, &writer.argument, volume, &kFirst, &kSecond);
    const std::vector<std::string> expected = {
        "OnIdentify",     "OnPrepareBackup",     "OnPrepareSnapshot",    "OnFreeze",      "OnThaw",
        "OnAbort",        "OnBackupComplete",    "OnBackupShutdown",     "OnPreRestore",  "OnPostRestore",
        "OnPostSnapshot", "OnBackOffIOOnVolume", "OnContinueIOOnVolume", "OnVSSShutdown", "OnVSSApplicationStartup",
        "OnIdentifyEx",   "deletingDestructor"};
    CHECK(writer.calls == expected);
}

}  // namespace

int main() {
    return check::run({{"every slot of the table, and its arguments", everySlot}});
}
