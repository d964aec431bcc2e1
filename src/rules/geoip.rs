//! Where an address is, by a database in MaxMind's format (MMDB): a "City" or "Country" one.

use std::fmt;
use std::net::IpAddr;
use std::path::Path;

use maxminddb::{PathElement, Reader, path};

/// A database, in memory.
pub struct GeoIp {
    reader: Reader<Vec<u8>>,
}

/// What may be asked, with Azion's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GeoField {
    /// `geoip_city`.
    City,
    /// `geoip_continent_code`, `geoip_city_continent_code`.
    ContinentCode,
    /// `geoip_country_code`, `geoip_city_country_code`: two letters.
    CountryCode,
    /// `geoip_country_name`, `geoip_city_country_name`.
    CountryName,
    /// `geoip_region`: the code of the first subdivision.
    Region,
    /// `geoip_region_name`.
    RegionName,
}

impl GeoField {
    /// Every name. Those with `city_` come from another of Azion's databases; here there is one.
    pub const ALL: [(&'static str, Self); 9] = [
        ("geoip_city", Self::City),
        ("geoip_city_continent_code", Self::ContinentCode),
        ("geoip_city_country_code", Self::CountryCode),
        ("geoip_city_country_name", Self::CountryName),
        ("geoip_continent_code", Self::ContinentCode),
        ("geoip_country_code", Self::CountryCode),
        ("geoip_country_name", Self::CountryName),
        ("geoip_region", Self::Region),
        ("geoip_region_name", Self::RegionName),
    ];

    fn path(self) -> Vec<PathElement<'static>> {
        match self {
            Self::City => path!["city", "names", "en"].to_vec(),
            Self::ContinentCode => path!["continent", "code"].to_vec(),
            Self::CountryCode => path!["country", "iso_code"].to_vec(),
            Self::CountryName => path!["country", "names", "en"].to_vec(),
            Self::Region => path!["subdivisions", 0, "iso_code"].to_vec(),
            Self::RegionName => path!["subdivisions", 0, "names", "en"].to_vec(),
        }
    }
}

impl GeoIp {
    /// Reads a database. All of it is looked at once, so that a broken one is found now and not by a request.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn open(file: &Path) -> Result<Self, String> {
        let reader = Reader::open_readfile(file).map_err(|why| why.to_string())?;
        reader.verify().map_err(|why| why.to_string())?;
        Ok(Self { reader })
    }

    /// What is known of an address; empty when nothing is.
    pub fn text(&self, field: GeoField, address: IpAddr) -> String {
        let found = self.reader.lookup(address.to_canonical()).ok();
        let text = found.and_then(|found| found.decode_path::<String>(&field.path()).ok());
        text.flatten().unwrap_or_default()
    }
}

impl fmt::Debug for GeoIp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GeoIp").field("database_type", &self.reader.metadata().database_type).finish()
    }
}
