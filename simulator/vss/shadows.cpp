#include "shadows.h"

#include <winioctl.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <iterator>
#include <sstream>

#include "accounting.h"
#include "call.h"
#include "host.h"
#include "settings.h"
#include "state_directory.h"
#include "text.h"

namespace vss_simulator {

namespace {

namespace fs = std::filesystem;

File lockMachine() {
    return lockFile(stateDirectory() / L"machine.lock");
}

fs::path recordFile(const VSS_ID& id) {
    return stateDirectory() / L"shadows" / (utf16(guidText(id)) + L".shadow");
}

std::string readText(const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

Shadow parse(const Settings& record) {
    Shadow shadow;
    shadow.id = guidFrom(record.text("id", ""));
    shadow.setId = guidFrom(record.text("setId", ""));
    shadow.setCount = static_cast<LONG>(record.number("setCount", 0));
    shadow.deviceNumber = static_cast<int>(record.number("device", 0));
    shadow.volume = utf16(record.text("volume", ""));
    shadow.providerId = guidFrom(record.text("provider", ""));
    shadow.attributes = static_cast<LONG>(record.number("attributes", 0));
    shadow.createdFileTime = record.number("created", 0);
    shadow.owner = record.text("owner", "");
    shadow.exposedName = utf16(record.text("exposedName", ""));
    shadow.exposedPath = utf16(record.text("exposedPath", ""));
    return shadow;
}

std::string print(const Shadow& shadow) {
    std::ostringstream text;
    text << "id=" << guidText(shadow.id) << "\nsetId=" << guidText(shadow.setId) << "\nsetCount=" << shadow.setCount
         << "\ndevice=" << shadow.deviceNumber << "\nvolume=" << utf8(shadow.volume)
         << "\nprovider=" << guidText(shadow.providerId) << "\nattributes=" << shadow.attributes
         << "\ncreated=" << shadow.createdFileTime << "\nowner=" << shadow.owner
         << "\nexposedName=" << utf8(shadow.exposedName) << "\nexposedPath=" << utf8(shadow.exposedPath) << '\n';
    return text.str();
}

void removeLocked(const Shadow& shadow) {
    const bool takesExposure = settings().flag("delete_takes_exposure", false);
    if (takesExposure && shadow.attributes & VSS_VOLSNAP_ATTR_EXPOSED_LOCALLY) unexposeLocally(shadow.exposedName);
    // The record is removed last: if the process dies before, the next one continues.
    runOnHost("rm -rf -- " + hostQuoted(shadow.device()));
    fs::remove(recordFile(shadow.id));
}

bool isLetter(const std::wstring& place) {
    return place.size() == 2 && place[1] == L':';
}

// What Wine's own configuration program sends to the mount manager.
struct UnixDrive {
    ULONG size;
    ULONG type;
    ULONG fileSystem;
    DWORD serial;
    ULONGLONG device;
    WCHAR letter;
    USHORT mountPointOffset;
    USHORT deviceOffset;
    USHORT labelOffset;
};
constexpr DWORD kDefineUnixDrive = CTL_CODE('m', 32, METHOD_BUFFERED, FILE_READ_ACCESS | FILE_WRITE_ACCESS);

void defineDrive(wchar_t letter, ULONG type, const std::string& unixDirectory) {
    const File manager(
        CreateFileW(L"\\\\.\\MountPointManager", GENERIC_READ | GENERIC_WRITE, 0, nullptr, OPEN_EXISTING, 0, nullptr));
    std::vector<char> request(sizeof(UnixDrive) + unixDirectory.size() + 1);
    UnixDrive drive{};
    drive.size = static_cast<ULONG>(request.size());
    drive.type = type;
    drive.letter = letter;
    if (!unixDirectory.empty()) drive.mountPointOffset = sizeof drive;
    std::memcpy(request.data(), &drive, sizeof drive);
    std::memcpy(request.data() + sizeof drive, unixDirectory.c_str(), unixDirectory.size() + 1);
    DWORD returned = 0;
    if (!DeviceIoControl(manager.get(), kDefineUnixDrive, request.data(), drive.size, nullptr, 0, &returned, nullptr)) {
        throw Failure(VSS_E_UNEXPECTED_PROVIDER_ERROR);
    }
}

}  // namespace

std::wstring Shadow::device() const {
    return L"\\\\?\\GLOBALROOT\\Device\\HarddiskVolumeShadowCopy" + std::to_wstring(deviceNumber);
}

fs::path sessionFile(const std::string& session) {
    return stateDirectory() / (utf16(session) + L".session");
}

std::vector<Shadow> allShadows() {
    const File locked = lockMachine();
    std::vector<Shadow> shadows;
    for (const fs::directory_entry& entry : fs::directory_iterator(stateDirectory() / L"shadows")) {
        if (entry.path().extension() != L".shadow") continue;
        const Shadow shadow = parse(Settings(readText(entry.path())));
        if (!shadow.owner.empty() && !isOwned(sessionFile(shadow.owner))) {
            count(Counter::OrphansSwept);
            removeLocked(shadow);
        } else {
            shadows.push_back(shadow);
        }
    }
    std::ranges::sort(shadows, {},
                      [](const Shadow& shadow) { return std::pair(shadow.createdFileTime, shadow.deviceNumber); });
    return shadows;
}

Shadow shadowById(const VSS_ID& id) {
    for (const Shadow& shadow : allShadows()) {
        if (IsEqualGUID(shadow.id, id)) return shadow;
    }
    throw Failure(VSS_E_OBJECT_NOT_FOUND);
}

void saveShadow(const Shadow& shadow) {
    const File locked = lockMachine();
    const fs::path file = recordFile(shadow.id);
    const fs::path fresh = file.native() + L".new";  // if the process dies here, the old record stays intact
    std::ofstream(fresh, std::ios::binary) << print(shadow);
    fs::rename(fresh, file);
}

void removeShadow(const Shadow& shadow) {
    const File locked = lockMachine();
    removeLocked(shadow);
}

void protectDevice(const Shadow& shadow) {
    runOnHost("chmod +t -- " + hostQuoted(shadow.device()));
}

void openDevice(const Shadow& shadow) {
    runOnHost("chmod -t -- " + hostQuoted(shadow.device()));
}

void hideDevice(const Shadow& shadow) {
    runOnHost("mv -T -- " + hostQuoted(shadow.device()) + ' ' + hostQuoted(shadow.device() + L".masked"));
}

void forgetShadow(const Shadow& shadow) {
    const File locked = lockMachine();
    fs::remove(recordFile(shadow.id));
}

int newDeviceNumber() {
    const File locked = lockMachine();
    const fs::path file = stateDirectory() / L"last-device";
    int number = 0;
    std::ifstream(file) >> number;
    std::ofstream(file) << ++number;
    return number;
}

void exposeLocally(const Shadow& shadow, const std::wstring& place) {
    if (isLetter(place)) {
        const DWORD bit = 1u << ((place[0] | 0x20) - L'a');
        // A drive that was linked into the prefix while Wine was running is only known by its root.
        if (!iswalpha(place[0]) || GetLogicalDrives() & bit || fs::exists(place + L'\\')) {
            throw Failure(E_INVALIDARG);
        }
        defineDrive(place[0], DRIVE_FIXED, hostName(shadow.device()));
        return;
    }
    std::error_code error;
    if (!fs::is_directory(place, error) || !fs::is_empty(place, error)) throw Failure(E_INVALIDARG);
    // Wine has no mount points; a Unix link looks like the directory itself.
    const std::string name = hostQuoted(place);
    runOnHost("rmdir -- " + name + "\nln -s -- " + hostQuoted(shadow.device()) + ' ' + name);
}

void unexposeLocally(const std::wstring& place) {
    if (isLetter(place)) {
        defineDrive(place[0], DRIVE_NO_ROOT_DIR, "");
        return;
    }
    const std::string name = hostQuoted(place);
    runOnHost("if test -L " + name + "; then rm -- " + name + "; mkdir -- " + name + "; fi");
}

}  // namespace vss_simulator
