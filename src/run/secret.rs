//! Where the secret of the tokens is: in a variable, in a file, or, on one machine, in the data folder, made when it is
//! first needed.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Options;
use super::keys::entropy;
use crate::tokens::{self, Keys, Secrets, Text};

/// The variable that holds the secret itself.
pub const VARIABLE: &str = "TRIBUTARY_TOKENS_SECRET";
/// In the data folder.
const FILE: &str = "tokens.secret";
/// More is no file of ours.
const BYTES_MAX: u64 = 4_096;

/// Where the secret comes from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum From {
    /// The data folder, on one machine. Many processes have no secret then, and refuse raw fields.
    #[default]
    Folder,
    File(PathBuf),
    Variable(Text),
}

/// What getting or changing the secret can fail with. The secret itself is never told.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot read the secret of the tokens in {}", file.display())]
    Read { file: PathBuf, source: io::Error },
    #[error("cannot write the secret of the tokens to {}", file.display())]
    Write { file: PathBuf, source: io::Error },
    #[error("the secret of the tokens in {place} cannot be used")]
    Invalid { place: String, source: tokens::Error },
    #[error("cannot draw a random number from the system")]
    Random(#[source] io::Error),
    #[error(
        "the secret of the tokens is in the variable {VARIABLE}, which only who sets it can change: give it two lines, \
         the new epoch with a new secret and the present ones below"
    )]
    Variable,
    #[error("there is no secret of the tokens to follow; it is made when it is first needed, by `tributary run`")]
    None,
}

/// The keys of the tokens. `makes`: on one machine, where a first secret is made in the data folder. `None`: there is no
/// secret, and raw fields are to be refused.
pub fn keys(options: &Options, makes: bool) -> Result<Option<Arc<Keys>>, Error> {
    if makes && options.secret == From::Folder && !file_of(&options.data_dir).exists() {
        let random = entropy().map_err(Error::Random)?;
        let file = file_of(&options.data_dir);
        write(&file, &Secrets::first(&random))?;
        tracing::info!(file = %file.display(), "raw fields have got a key of their own: keep this file with the log");
    }
    let is_folders = options.secret == From::Folder;
    // A folder may have served one machine before; its processes would all have different ones.
    let found = if is_folders && !makes { None } else { secrets(&options.secret, &options.data_dir)? };
    Ok(found.map(|found| Arc::new(Keys::new(found.current()))))
}

/// The secrets as they are now; `None`: there is none in the data folder.
pub fn secrets(from: &From, data_dir: &Path) -> Result<Option<Secrets>, Error> {
    match from {
        From::Folder => {
            let file = file_of(data_dir);
            if file.exists() { read(&file).map(Some) } else { Ok(None) }
        }
        From::File(file) => read(file).map(Some),
        From::Variable(text) => parse(text, &format!("the variable {VARIABLE}")).map(Some),
    }
}

/// Puts a new secret into force, from the next start of each process on; the file, and what it holds now.
pub fn rotate(from: &From, data_dir: &Path) -> Result<(PathBuf, Secrets), Error> {
    let file = match from {
        From::Folder => file_of(data_dir),
        From::File(file) => file.clone(),
        From::Variable(_) => return Err(Error::Variable),
    };
    let invalid = |source| Error::Invalid { place: file.display().to_string(), source };
    let present = secrets(from, data_dir)?.ok_or(Error::None)?;
    let rotated = present.rotated(&entropy().map_err(Error::Random)?).map_err(invalid)?;
    write(&file, &rotated)?;
    Ok((file, rotated))
}

/// What a file holds.
pub fn read(file: &Path) -> Result<Secrets, Error> {
    let failed = |source| Error::Read { file: file.to_owned(), source };
    let len = fs::metadata(file).map_err(failed)?.len();
    if len > BYTES_MAX {
        return Err(failed(io::Error::other(format!("it has {len} bytes, more than any secret"))));
    }
    parse(&Text::new(fs::read_to_string(file).map_err(failed)?), &file.display().to_string())
}

/// What a variable or a file says.
pub fn parse(text: &Text, place: &str) -> Result<Secrets, Error> {
    Secrets::parse(text.reveal()).map_err(|source| Error::Invalid { place: place.to_owned(), source })
}

fn file_of(data_dir: &Path) -> PathBuf {
    data_dir.join(FILE)
}

/// Whole or not at all, for the user alone who runs the program.
fn write(file: &Path, secrets: &Secrets) -> Result<(), Error> {
    let failed = |source| Error::Write { file: file.to_owned(), source };
    let mut new = file.as_os_str().to_owned();
    new.push(".new");
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        // Made anew: an old file keeps the mode that somebody gave it.
        Ok(()) | Err(_) => {}
    }
    let mut made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new).map_err(failed)?;
    made.write_all(secrets.render().reveal().as_bytes()).map_err(failed)?;
    made.sync_all().map_err(failed)?;
    fs::rename(&new, file).map_err(failed)?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)
}
