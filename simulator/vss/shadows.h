#pragma once
// The shadows of the machine: one record file each, seen by every process that shares the state directory.

#include <windows.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "abi.h"
#include "volumes.h"

namespace vss_simulator {

/** PERSISTENT, CLIENT_ACCESSIBLE, NO_AUTO_RELEASE and NO_WRITERS are what tells the contexts apart. */
inline constexpr LONG kContextBits = VSS_VOLSNAP_ATTR_PERSISTENT | VSS_VOLSNAP_ATTR_CLIENT_ACCESSIBLE |
                                     VSS_VOLSNAP_ATTR_NO_AUTO_RELEASE | VSS_VOLSNAP_ATTR_NO_WRITERS;
inline constexpr LONG kExposedBits = VSS_VOLSNAP_ATTR_EXPOSED_LOCALLY | VSS_VOLSNAP_ATTR_EXPOSED_REMOTELY;

struct Shadow {
    VSS_ID id{};
    VSS_ID setId{};
    LONG setCount = 0;
    int deviceNumber = 0;
    /** GUID name of the original volume. */
    std::wstring volume;
    VSS_ID providerId{};
    LONG attributes = 0;
    /** 0 while it is being made; a record from before the first byte lets others clean up after a process that dies. */
    LONGLONG createdFileTime = 0;
    /** Session that takes the shadow with it; empty for one that stays. */
    std::string owner;
    std::wstring exposedName;
    std::wstring exposedPath;

    bool isPersistent() const { return attributes & VSS_VOLSNAP_ATTR_PERSISTENT; }
    bool isCreated() const { return createdFileTime != 0; }
    /** A transportable shadow is nothing but a record until it is imported. */
    bool isSurfaced() const {
        return !(attributes & VSS_VOLSNAP_ATTR_TRANSPORTABLE) || attributes & VSS_VOLSNAP_ATTR_IMPORTED;
    }
    /** Without trailing backslash. */
    std::wstring device() const;
};

/** Of all contexts, surfaced or not; shadows of sessions that died are taken away first. Oldest first. */
std::vector<Shadow> allShadows();
/** Throws VSS_E_OBJECT_NOT_FOUND. */
Shadow shadowById(const VSS_ID& id);
void saveShadow(const Shadow& shadow);
/** With its contents, and as set with the place where it is exposed; otherwise that is left behind and leads nowhere.
 */
void removeShadow(const Shadow& shadow);
/** From now on nothing in it can be changed: shadow_guard.c sees to that. */
void protectDevice(const Shadow& shadow);
void openDevice(const Shadow& shadow);
/** As if its disk were taken away from this machine. */
void hideDevice(const Shadow& shadow);
/** Only the record: what BreakSnapshotSet leaves is an ordinary volume. */
void forgetShadow(const Shadow& shadow);
int newDeviceNumber();

/** File whose owner is the living session. */
std::filesystem::path sessionFile(const std::string& session);

/** Makes `place` (`X:` or an empty directory) show the shadow. Throws E_INVALIDARG when it cannot. */
void exposeLocally(const Shadow& shadow, const std::wstring& place);
void unexposeLocally(const std::wstring& place);

}  // namespace vss_simulator
