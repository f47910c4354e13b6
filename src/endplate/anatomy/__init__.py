"""CT and labels to spine: label check, body and arch, frames, endplates, pedicles, canal."""
