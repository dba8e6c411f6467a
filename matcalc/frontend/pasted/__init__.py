"""Mathematics as it is pasted: LaTeX, Unicode and other systems' spellings, read into the text syntax's own tree."""
